// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.probe;

import java.util.Optional;

/** Names for the addresses that stacks and {@code sym()} and its like recorded. */
public interface AddressNames {
  /**
   * What an address is in.
   *
   * @param module {@code vmlinux}, a kernel module, or the file's base name of a process's mapping
   * @param function empty when only the module is known
   * @param start the address where the function, or else the module, starts
   * @param offset distance from {@code start}
   */
  record Name(String module, Optional<String> function, long start, long offset) {}

  Optional<Name> kernel(long address);

  /** Of a process, which may have ended: then what was known of it. */
  Optional<Name> user(long pid, long address);
}
