/**
 * What engines and providers implement. A {@link dev.fathom.dtrace.probe.Provider} lists probes; an
 * {@link dev.fathom.dtrace.probe.Engine} has providers and carries out a {@link
 * dev.fathom.dtrace.probe.Plan}: a program in the intermediate form with the probes that its
 * clauses are enabled at. An engine that stops or replays gives a {@link
 * dev.fathom.dtrace.probe.ProbeContext} for each firing to the interpreter in {@code dtrace.run};
 * one that places code elsewhere translates the program and calls the {@link
 * dev.fathom.dtrace.record.RecordSink} itself. May use base, model, {@code dtrace.ir} and {@code
 * dtrace.record}.
 */
package dev.fathom.dtrace.probe;
