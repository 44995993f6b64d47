/**
 * Traces in files: OSv's, and Fathom's own recordings. Opens a file by what it begins with and
 * gives its events. Uses {@code format.osvt} and {@code trace.recording}.
 */
package dev.fathom.trace.file;
