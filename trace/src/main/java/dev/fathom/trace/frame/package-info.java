/**
 * Functions for the addresses of backtraces: from the file that OSv's debugger extension saves
 * beside a trace, or from a symbol table; and which frames of a backtrace belong to the tracer and
 * are left out. Uses {@code trace}'s event model and {@code model}.
 */
package dev.fathom.trace.frame;
