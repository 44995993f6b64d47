// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.kdump;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.Range;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * {@code struct disk_dump_header} and {@code struct kdump_sub_header} (makedumpfile {@code
 * diskdump_mod.h}) of 64-bit little-endian machines. What a header's version does not have yet is
 * absent.
 *
 * @param diskdump signature {@code DISKDUMP} (the old diskdump tool) rather than {@code "KDUMP "}
 * @param version {@code header_version}
 * @param utsname the crashed kernel's names
 * @param timestampSeconds when the dump was made, in seconds since 1970; 0 when the writer did not
 *     know (QEMU)
 * @param timestampMicros its fraction, in microseconds
 * @param status {@code status}: compression flags, and {@link #STATUS_INCOMPLETE}
 * @param blockSize bytes of a block, which is a page of the crashed machine
 * @param subHeaderBlocks size of the sub header in blocks
 * @param bitmapBlocks size of both bitmaps together in blocks
 * @param maxMapnr number of page frames that the bitmaps cover, from the widest field there is
 * @param totalRamBlocks {@code total_ram_blocks}
 * @param writtenBlocks {@code written_blocks}
 * @param currentCpu the CPU that handled the dump; makedumpfile leaves 0
 * @param cpus {@code nr_cpus}
 * @param physBase {@code phys_base} of the sub header; absent in {@code DISKDUMP} files
 * @param dumpLevel what makedumpfile left out: 1 zero, 2 cache, 4 private cache, 8 user, 16 free
 *     pages; since version 1
 * @param splitPfns the page frames that this file of a split set holds; since version 2, absent
 *     when not split
 * @param vmcoreinfo where VMCOREINFO stands in the file; since version 3
 * @param notes where the ELF notes stand in the file; since version 4
 * @param eraseinfo where the record of erased data stands in the file; since version 5
 */
public record KdumpHeader(
    boolean diskdump,
    int version,
    Utsname utsname,
    long timestampSeconds,
    long timestampMicros,
    int status,
    int blockSize,
    int subHeaderBlocks,
    long bitmapBlocks,
    long maxMapnr,
    long totalRamBlocks,
    long writtenBlocks,
    int currentCpu,
    int cpus,
    OptionalLong physBase,
    OptionalInt dumpLevel,
    Optional<Range> splitPfns,
    Optional<Range> vmcoreinfo,
    Optional<Range> notes,
    Optional<Range> eraseinfo) {

  /** {@code DUMP_DH_COMPRESSED_INCOMPLETE} in {@link #status}: makedumpfile ran out of space. */
  public static final int STATUS_INCOMPLETE = 0x8;

  /**
   * {@code DUMP_DH_EXCLUDED_VMEMMAP} in {@link #status}: unused parts of vmemmap were left out
   * ({@code -e}).
   */
  public static final int STATUS_EXCLUDED_VMEMMAP = 0x10;

  private static final byte[] KDUMP = "KDUMP   ".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] DISKDUMP = "DISKDUMP".getBytes(StandardCharsets.US_ASCII);
  private static final int UTS_FIELD = 65;
  private static final int UTS = 12;
  private static final int MACHINE = UTS + 4 * UTS_FIELD;
  private static final int TIMESTAMP = 408;
  private static final int STATUS = 424;
  private static final int HEADER = 464;
  private static final int SUB_HEADER = 104;
  private static final int MIN_BLOCK = 512;
  private static final int MAX_BLOCK = 1 << 20;

  /** 256 TiB of 4 KiB pages: more than any machine that Linux runs on. */
  private static final long MAX_MAPNR = 1L << 36;

  /** Whether the source starts as this format does. */
  public static boolean matches(ByteSource source) {
    if (source.size() < KDUMP.length) {
      return false;
    }
    byte[] signature = source.bytes(0, KDUMP.length);
    return Arrays.equals(signature, KDUMP) || Arrays.equals(signature, DISKDUMP);
  }

  /**
   * Reads both headers.
   *
   * @throws BadDataException when they are no such headers, of another machine (32 bits, big
   *     endian), or do not make sense
   */
  public static KdumpHeader read(ByteSource source) {
    if (!matches(source)) {
      throw new BadDataException(
          source.name(), 0, "no kdump signature, expected 'KDUMP   ' or 'DISKDUMP'");
    }
    if (source.size() < HEADER) {
      throw new BadDataException(
          source.name(),
          source.size(),
          "file ends inside the kdump header, which has " + HEADER + " bytes");
    }
    byte[] bytes = source.bytes(0, HEADER);
    ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int version = b.getInt(8);
    if (version != 0 && (version & 0xffff) == 0) {
      throw new BadDataException(
          source.name(),
          8,
          "kdump header is big-endian (version "
              + Integer.reverseBytes(version)
              + "), expected little-endian");
    }
    if (version < 0 || version > 255) {
      throw new BadDataException(
          source.name(), 8, "kdump header version " + version + ", expected 0 to 6");
    }
    int blockSize = b.getInt(STATUS + 4);
    checkBlockSize(source, bytes, blockSize);
    int subBlocks = b.getInt(STATUS + 8);
    if (subBlocks < 0 || subBlocks > 1 << 16) {
      throw new BadDataException(
          source.name(), STATUS + 8, "sub header of " + subBlocks + " blocks, expected 0 to 65536");
    }
    var fixed =
        new Fixed(Arrays.equals(bytes, 0, 8, DISKDUMP, 0, 8), version, blockSize, subBlocks);
    return withSubHeader(source, b, fixed);
  }

  /** File offset of the first bitmap. */
  public long bitmapOffset() {
    return (1L + subHeaderBlocks) * blockSize;
  }

  /** Whether makedumpfile ran out of space and left pages out that the bitmap has. */
  public boolean incomplete() {
    return (status & STATUS_INCOMPLETE) != 0;
  }

  private record Fixed(boolean diskdump, int version, int blockSize, int subBlocks) {}

  private static void checkBlockSize(ByteSource source, byte[] bytes, int blockSize) {
    if (blockSize >= MIN_BLOCK && blockSize <= MAX_BLOCK && Integer.bitCount(blockSize) == 1) {
      return;
    }
    String machine = text(bytes, MACHINE);
    // struct timeval is 4 bytes earlier and 8 bytes smaller where long has 32 bits.
    ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int narrow = b.getInt(416);
    if (narrow >= MIN_BLOCK && narrow <= MAX_BLOCK && Integer.bitCount(narrow) == 1) {
      throw new BadDataException(
          source.name(),
          416,
          "kdump header of a 32-bit machine (" + machine + "), expected a 64-bit one");
    }
    throw new BadDataException(
        source.name(),
        STATUS + 4,
        "block size "
            + Integer.toUnsignedString(blockSize)
            + ", expected a power of two from "
            + MIN_BLOCK
            + " to "
            + MAX_BLOCK);
  }

  private static KdumpHeader withSubHeader(ByteSource source, ByteBuffer b, Fixed fixed) {
    int version = fixed.version;
    byte[] sub = new byte[SUB_HEADER];
    long subOffset = fixed.blockSize;
    boolean hasSub = !fixed.diskdump && fixed.subBlocks > 0 && subOffset < source.size();
    if (hasSub) {
      int there =
          (int)
              Math.min(
                  Math.min(SUB_HEADER, (long) fixed.subBlocks * fixed.blockSize),
                  source.size() - subOffset);
      System.arraycopy(source.bytes(subOffset, there), 0, sub, 0, there);
    }
    ByteBuffer s = ByteBuffer.wrap(sub).order(ByteOrder.LITTLE_ENDIAN);
    boolean wide = hasSub && version >= 6;
    long maxMapnr =
        wide && s.getLong(96) != 0 ? s.getLong(96) : Integer.toUnsignedLong(b.getInt(440));
    if (maxMapnr < 0 || maxMapnr > MAX_MAPNR) {
      throw new BadDataException(
          source.name(),
          wide ? subOffset + 96 : 440,
          "max_mapnr 0x"
              + Long.toHexString(maxMapnr)
              + ", expected at most 0x"
              + Long.toHexString(MAX_MAPNR));
    }
    Optional<Range> split = Optional.empty();
    if (hasSub && version >= 2 && s.getInt(12) != 0) {
      long start = wide ? s.getLong(80) : s.getLong(16);
      long end = wide ? s.getLong(88) : s.getLong(24);
      if (start < 0 || end < start) {
        throw new BadDataException(
            source.name(),
            wide ? subOffset + 80 : subOffset + 16,
            "split range of page frames 0x"
                + Long.toHexString(start)
                + "..0x"
                + Long.toHexString(end)
                + ", expected an end above the start");
      }
      split = Optional.of(new Range(start, end));
    }
    var utsname =
        new Utsname(
            text(b.array(), UTS),
            text(b.array(), UTS + UTS_FIELD),
            text(b.array(), UTS + 2 * UTS_FIELD),
            text(b.array(), UTS + 3 * UTS_FIELD),
            text(b.array(), MACHINE),
            text(b.array(), UTS + 5 * UTS_FIELD));
    return new KdumpHeader(
        fixed.diskdump,
        version,
        utsname,
        b.getLong(TIMESTAMP),
        b.getLong(TIMESTAMP + 8),
        b.getInt(STATUS),
        fixed.blockSize,
        fixed.subBlocks,
        Integer.toUnsignedLong(b.getInt(STATUS + 12)),
        maxMapnr,
        Integer.toUnsignedLong(b.getInt(444)),
        Integer.toUnsignedLong(b.getInt(452)),
        b.getInt(456),
        b.getInt(460),
        hasSub ? OptionalLong.of(s.getLong(0)) : OptionalLong.empty(),
        hasSub && version >= 1 ? OptionalInt.of(s.getInt(8)) : OptionalInt.empty(),
        split,
        hasSub && version >= 3 ? region(s, 32) : Optional.empty(),
        hasSub && version >= 4 ? region(s, 48) : Optional.empty(),
        hasSub && version >= 5 ? region(s, 64) : Optional.empty());
  }

  /**
   * An offset and a size; absent when either is zero or negative, which is how writers say "none".
   */
  private static Optional<Range> region(ByteBuffer s, int at) {
    long offset = s.getLong(at);
    long size = s.getLong(at + 8);
    return offset <= 0 || size <= 0 || offset + size < 0
        ? Optional.empty()
        : Optional.of(Range.of(offset, size));
  }

  private static String text(byte[] bytes, int start) {
    int end = start;
    while (end < start + UTS_FIELD && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, start, end - start, StandardCharsets.ISO_8859_1);
  }
}
