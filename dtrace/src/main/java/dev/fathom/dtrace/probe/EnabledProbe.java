// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.probe;

/**
 * A clause at a probe.
 *
 * @param epid from 1, in order of enabling
 * @param clause index into {@link dev.fathom.dtrace.ir.IrProgram#clauses()}
 */
public record EnabledProbe(int epid, Probe probe, int clause) {}
