// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import java.nio.ByteOrder;

/** Byte order and pointer size in bytes of an address space. */
public record Layout(ByteOrder order, int wordBytes) {
  public static final Layout LITTLE_64 = new Layout(ByteOrder.LITTLE_ENDIAN, 8);
}
