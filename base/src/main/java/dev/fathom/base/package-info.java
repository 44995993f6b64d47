/** Byte sources and cursors, ranges, the exception family, and what a command can show. */
package dev.fathom.base;
