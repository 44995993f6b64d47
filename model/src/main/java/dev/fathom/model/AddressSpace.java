// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import java.util.OptionalLong;

/** Memory reached through a translation: a kernel's or a process's virtual addresses. */
public interface AddressSpace extends Memory {
  /**
   * The physical address behind {@code virtual}, when it has one; the page itself may be missing.
   */
  OptionalLong physical(long virtual);
}
