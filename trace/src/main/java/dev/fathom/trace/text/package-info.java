/**
 * Numbers, times and arguments as text, in the way of C's {@code printf} and of OSv's {@code
 * trace.py}. Values enter, text comes out. Uses {@code trace}'s event model only.
 */
package dev.fathom.trace.text;
