// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.consume;

import dev.fathom.dtrace.probe.AddressNames;
import dev.fathom.dtrace.record.DValue;
import java.util.Optional;

/** Addresses as DTrace names them: {@code vmlinux`vfs_read+0x12}. */
final class AddressText {
  private final AddressNames names;

  AddressText(AddressNames names) {
    this.names = names;
  }

  /** A place in the kernel, with its offset. */
  String kernel(long address) {
    return place(names.kernel(address), address);
  }

  String user(long pid, long address) {
    return place(names.user(pid, address), address);
  }

  /** {@code sym()}: without the offset. */
  String symbol(long address) {
    return function(names.kernel(address), address);
  }

  String module(long address) {
    return names.kernel(address).map(AddressNames.Name::module).orElseGet(() -> hex(address));
  }

  /** {@code usym()}. */
  String symbol(DValue.UserAddress at) {
    return function(names.user(at.pid(), at.address()), at.address());
  }

  String module(DValue.UserAddress at) {
    return names
        .user(at.pid(), at.address())
        .map(AddressNames.Name::module)
        .orElseGet(() -> hex(at.address()));
  }

  private static String place(Optional<AddressNames.Name> name, long address) {
    if (name.isEmpty() || name.get().function().isEmpty() || name.get().offset() == 0) {
      return function(name, address);
    }
    return function(name, address) + "+" + hex(name.get().offset());
  }

  private static String function(Optional<AddressNames.Name> name, long address) {
    if (name.isEmpty()) {
      return hex(address);
    }
    return name.get().module() + "`" + name.get().function().orElseGet(() -> hex(address));
  }

  static String hex(long address) {
    return "0x" + Long.toHexString(address);
  }
}
