/**
 * What the events of a trace add up to: summaries, durations, profiles by backtrace, waits, loads
 * of CPUs, allocations, packets. Traces enter, records of values come out and no text. Uses {@code
 * trace}'s event model and {@code trace.frame}.
 */
package dev.fathom.trace.analysis;
