/**
 * Fathom's own recordings, which replay as what was recorded. Owns the format, which docs/traces.md
 * describes, its writer and its reader. Uses {@code trace}'s event model only.
 */
package dev.fathom.trace.recording;
