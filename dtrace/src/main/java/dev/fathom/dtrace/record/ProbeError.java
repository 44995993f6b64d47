// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.record;

/**
 * A clause was given up while it ran. The consumer reports it; the {@code ERROR} probe's own
 * clauses have been run by then.
 *
 * @param epid the enabled probe
 * @param action the statement of the body, from 1; 0 in the predicate
 * @param value the address for faults that have one, else 0
 */
public record ProbeError(int epid, int cpu, int action, FaultKind kind, long value) {}
