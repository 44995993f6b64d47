/**
 * Fathom's own recordings: what {@code fathom trace --record} writes and what replays the same.
 * Owns the format, which docs/traces.md describes, its writer and its reader. Uses {@code trace}'s
 * event model only.
 */
package dev.fathom.trace.recording;
