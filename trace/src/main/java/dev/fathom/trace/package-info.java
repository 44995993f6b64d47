/**
 * Events of traces. Owns what an event is: a tracepoint with typed arguments, a time, a CPU, a
 * thread, a backtrace; and the cursor that goes over events without making an object of each.
 * Recorded traces enter through {@code trace.file}; {@code trace.analysis} adds them up, {@code
 * trace.report} shows that, {@code trace.export} writes what other programs read. May use {@code
 * format} and {@code model}.
 */
package dev.fathom.trace;
