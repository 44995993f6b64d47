// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import dev.fathom.model.Registers;

/**
 * A CPU's state in the target.
 *
 * @param id the number that the target gives it: for QEMU and kdump the kernel's CPU number, as a
 *     rule
 * @param registers general and, where known, control registers and segment bases
 * @param source where they come from: {@code PRSTATUS}, {@code QEMU}, ...
 */
public record Cpu(int id, Registers registers, String source) {}
