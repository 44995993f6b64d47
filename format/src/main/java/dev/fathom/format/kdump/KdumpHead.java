// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.kdump;

import dev.fathom.base.Range;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * What a file in kdump-compressed format, header version 6, begins with: header and sub header with
 * notes; and where everything behind it stands. {@link KdumpFile} has the grammar, {@link
 * KdumpHeader} the fields.
 *
 * @param utsname the machine's names
 * @param timestampSeconds when the dump is made, in seconds since 1970
 * @param compression how pages are compressed, as a page descriptor's flag; 0 for not at all
 * @param maxMapnr number of page frames that the bitmaps cover
 * @param ramPages number of page frames that the machine has
 * @param descriptors for how many page descriptors there is room
 * @param cpus number of CPUs
 * @param physBase {@code phys_base}
 * @param dumpLevel what is left out, as {@link KdumpHeader#dumpLevel}
 * @param notes a region of ELF notes; none when empty
 * @param vmcoreinfo where VMCOREINFO's text is in that region, as libkdumpfile wants it; none when
 *     empty
 */
public record KdumpHead(
    Utsname utsname,
    long timestampSeconds,
    int compression,
    long maxMapnr,
    long ramPages,
    long descriptors,
    int cpus,
    long physBase,
    int dumpLevel,
    byte[] notes,
    Range vmcoreinfo) {
  /** Bytes of a block, which is a page of x86. */
  public static final int BLOCK = 4096;

  /** Bytes of a page descriptor. */
  public static final int DESCRIPTOR = 24;

  /** Where a header has room to its block's end that no reader looks at. */
  public static final int SPARE = 2048;

  private static final int VERSION = 6;
  private static final int SUB_HEADER = 104;
  private static final int UTS_FIELD = 65;

  /** File offset of the first bitmap. */
  public long firstBitmap() {
    return BLOCK * (1 + subBlocks());
  }

  /** File offset of the second bitmap. */
  public long secondBitmap() {
    return firstBitmap() + bitmapBytes();
  }

  /** File offset of the first page descriptor. */
  public long firstDescriptor() {
    return secondBitmap() + bitmapBytes();
  }

  /** File offset of the first page's data. */
  public long data() {
    return firstDescriptor() + descriptors * DESCRIPTOR;
  }

  private long bitmapBytes() {
    return ((maxMapnr + 7) / 8 + BLOCK - 1) / BLOCK * BLOCK;
  }

  private long subBlocks() {
    return (SUB_HEADER + (long) notes.length + BLOCK - 1) / BLOCK;
  }

  /** The bytes up to the first bitmap. */
  public byte[] bytes() {
    ByteBuffer b =
        ByteBuffer.allocate(Math.toIntExact(firstBitmap())).order(ByteOrder.LITTLE_ENDIAN);
    b.put(0, "KDUMP   ".getBytes(StandardCharsets.US_ASCII)).putInt(8, VERSION);
    uts(b, 0, utsname.sysname());
    uts(b, 1, utsname.nodename());
    uts(b, 2, utsname.release());
    uts(b, 3, utsname.version());
    uts(b, 4, utsname.machine());
    uts(b, 5, utsname.domainname());
    b.putLong(408, timestampSeconds).putInt(424, compression).putInt(428, BLOCK);
    b.putInt(432, (int) subBlocks()).putInt(436, (int) (2 * bitmapBytes() / BLOCK));
    b.putInt(440, clipped(maxMapnr)).putInt(444, clipped(ramPages));
    b.putInt(452, clipped(descriptors)).putInt(460, cpus);
    int sub = BLOCK;
    b.putLong(sub, physBase).putInt(sub + 8, dumpLevel).putLong(sub + 96, maxMapnr);
    int at = sub + SUB_HEADER;
    if (!vmcoreinfo.isEmpty()) {
      b.putLong(sub + 32, at + vmcoreinfo.start()).putLong(sub + 40, vmcoreinfo.length());
    }
    if (notes.length > 0) {
      b.putLong(sub + 48, at).putLong(sub + 56, notes.length).put(at, notes);
    }
    return b.array();
  }

  private static int clipped(long count) {
    return (int) Math.min(count, 0xffff_ffffL);
  }

  private static void uts(ByteBuffer b, int field, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    b.put(12 + field * UTS_FIELD, bytes, 0, Math.min(bytes.length, UTS_FIELD - 1));
  }
}
