/**
 * What becomes of records: a {@link dev.fathom.dtrace.consume.Consumer} keeps aggregations and
 * speculations, carries out what a program leaves to the consumer ({@code printa}, {@code trunc},
 * {@code setopt}, {@code system}, ...) in the order of the records, and hands what is to be shown
 * to a {@link dev.fathom.dtrace.consume.Output}: text as DTrace prints it, to the byte, or JSON.
 * Byte strings are Java strings of a {@code char} per byte, as everywhere in D. Enters: a plan and
 * records. May use base, model, {@code dtrace.ir}, {@code dtrace.probe} and {@code dtrace.record}.
 */
package dev.fathom.dtrace.consume;
