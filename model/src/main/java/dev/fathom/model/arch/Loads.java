// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch;

import java.util.Optional;

/**
 * Memory as an instruction loads from it: empty where the instruction would fault, and where it
 * would do more than load, as it does at a device.
 */
public interface Loads {
  /** The bytes at a virtual address. */
  Optional<byte[]> load(long address, int count);
}
