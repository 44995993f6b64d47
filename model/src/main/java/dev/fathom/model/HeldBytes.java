// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import dev.fathom.base.Readability;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;

/**
 * The bytes of a value that are at hand: of one that stands nowhere in the target's memory (a
 * number with a fraction, a value in registers), or a copy of what stood there once.
 */
public final class HeldBytes implements AddressSpace {
  private final Layout layout;
  private final long start;
  private final byte[] bytes;
  private final boolean copied;

  private HeldBytes(Layout layout, long start, byte[] bytes, boolean copied) {
    this.layout = layout;
    this.start = start;
    this.bytes = bytes;
    this.copied = copied;
  }

  /** Bytes that have no address; they begin at 0. */
  static HeldBytes loose(Layout layout, byte[] bytes) {
    return new HeldBytes(layout, 0, bytes.clone(), false);
  }

  /** A copy of what stands at {@code address}, under its own addresses. */
  static HeldBytes copyOf(AddressSpace space, long address, byte[] bytes) {
    return new HeldBytes(space.layout(), address, bytes, true);
  }

  /** Whether the bytes are those of a place in the target's memory. */
  public boolean copied() {
    return copied;
  }

  @Override
  public String name() {
    return "value";
  }

  @Override
  public Layout layout() {
    return layout;
  }

  @Override
  public int read(long address, MemorySegment into) {
    long from = address - start;
    if (from < 0 || from >= bytes.length) {
      return 0;
    }
    int count = (int) Math.min(into.byteSize(), bytes.length - from);
    MemorySegment.copy(MemorySegment.ofArray(bytes), from, into, 0, count);
    return count;
  }

  @Override
  public Readability at(long address) {
    long from = address - start;
    return from >= 0 && from < bytes.length ? Readability.READABLE : Readability.UNMAPPED;
  }

  @Override
  public OptionalLong physical(long virtual) {
    return OptionalLong.empty();
  }
}
