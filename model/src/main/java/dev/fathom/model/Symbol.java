// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

/**
 * A name for an address.
 *
 * @param address where it stands in the kernel's virtual address space, or the offset in the
 *     per-CPU area (see {@code kind})
 * @param size bytes up to its end, as recorded or up to the next symbol; 0 when neither is known
 * @param letter the type letter of {@code nm}: upper case for global
 * @param module the module it belongs to; empty for the kernel proper
 */
public record Symbol(String name, long address, long size, Kind kind, char letter, String module) {
  public enum Kind {
    TEXT,
    DATA,
    /** The address is an offset that a CPU's per-CPU base is added to. */
    PER_CPU,
    ABSOLUTE
  }

  /** {@code name}, or {@code module`name} for a module's symbol. */
  public String qualified() {
    return module.isEmpty() ? name : module + "`" + name;
  }
}
