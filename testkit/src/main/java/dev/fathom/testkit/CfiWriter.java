// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit;

import java.nio.charset.StandardCharsets;

/**
 * Writes call frame information for x86-64, as {@code .eh_frame} or {@code .debug_frame}; the
 * instructions are given as bytes.
 */
public final class CfiWriter {
  private final boolean eh;
  private final long address;
  private final boolean wide;
  private final LittleEndian out = new LittleEndian();

  private CfiWriter(boolean eh, long address, boolean wide) {
    this.eh = eh;
    this.address = address;
    this.wide = wide;
  }

  /** An {@code .eh_frame} that is loaded at {@code address}. */
  public static CfiWriter ehFrame(long address) {
    return new CfiWriter(true, address, false);
  }

  /**
   * A {@code .debug_frame}.
   *
   * @param wide whether in the 64-bit form
   */
  public static CfiWriter debugFrame(boolean wide) {
    return new CfiWriter(false, 0, wide);
  }

  /** Where the next entry will be. */
  public int offset() {
    return out.size();
  }

  /**
   * Adds a CIE with code factor 1, data factor -8 and the return address in column 16.
   *
   * @param version 1, 3 or 4
   * @param data the augmentation data, written when {@code augmentation} starts with {@code z}
   * @return where it is
   */
  public int cie(int version, String augmentation, byte[] data, byte[] instructions) {
    var body = new LittleEndian();
    body.u8(version).bytes(augmentation.getBytes(StandardCharsets.UTF_8)).u8(0);
    if (version == 4) {
      body.u8(8).u8(0);
    }
    body.u8(1).u8(0x78).u8(16);
    if (augmentation.startsWith("z")) {
      body.u8(data.length).bytes(data);
    }
    body.bytes(instructions);
    int at = out.size();
    entry(eh ? 0 : -1L, body.toByteArray());
    return at;
  }

  /**
   * Adds an FDE of a CIE with the augmentation {@code zR} and encoding {@code pcrel|sdata4} in an
   * {@code .eh_frame}, or none in a {@code .debug_frame}.
   */
  public CfiWriter fde(int cie, long start, long length, byte[] instructions) {
    var body = new LittleEndian();
    int at = out.size();
    if (eh) {
      body.u32(start - (address + at + 8)).u32(length).u8(0);
    } else {
      body.u64(start).u64(length);
    }
    body.bytes(instructions);
    entry(eh ? at + 4 - cie : cie, body.toByteArray());
    return this;
  }

  private void entry(long id, byte[] body) {
    int idSize = wide ? 8 : 4;
    int padding = -(idSize + body.length) & 7;
    long length = (long) idSize + body.length + padding;
    if (wide) {
      out.u32(0xffffffffL).u64(length).u64(id);
    } else {
      out.u32(length).u32(id);
    }
    out.bytes(body).bytes(new byte[padding]);
  }

  /** The section's bytes. */
  public byte[] toByteArray() {
    return out.toByteArray();
  }
}
