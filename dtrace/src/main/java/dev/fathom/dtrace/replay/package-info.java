/**
 * D over recorded traces: an engine whose probes are the tracepoints of a trace, and a writer of
 * recordings of probes that fire live. Enters: a {@code trace.Trace}. May use base, model, trace,
 * and of dtrace {@code ir}, {@code probe}, {@code record} and {@code run}.
 */
package dev.fathom.dtrace.replay;
