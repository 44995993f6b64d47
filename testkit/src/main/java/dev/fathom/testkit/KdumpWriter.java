// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit;

import com.github.luben.zstd.Zstd;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.zip.Deflater;

/** Writes kdump-compressed files of header versions 0 to 6. */
public final class KdumpWriter {
  /** How a page is stored; {@code flag} is the page descriptor's. */
  public enum Codec {
    RAW(0),
    ZLIB(0x1),
    LZO(0x2),
    SNAPPY(0x4),
    ZSTD(0x20);

    private final int flag;

    Codec(int flag) {
      this.flag = flag;
    }

    public byte[] compress(byte[] page) {
      return switch (this) {
        case RAW -> page;
        case ZLIB -> deflate(page);
        case LZO -> LzoWriter.compress(page);
        case SNAPPY -> SnappyWriter.compress(page);
        case ZSTD -> Zstd.compress(page, 1);
      };
    }

    private static byte[] deflate(byte[] page) {
      try (var deflater = new Deflater(1)) {
        deflater.setInput(page);
        deflater.finish();
        var out = new byte[page.length * 2 + 64];
        return Arrays.copyOf(out, deflater.deflate(out));
      }
    }
  }

  private record Page(byte[] bytes, Codec codec, boolean unwritten) {}

  private final int version;
  private final TreeMap<Long, Page> pages = new TreeMap<>();
  private final TreeSet<Long> excluded = new TreeSet<>();
  private String signature = "KDUMP   ";
  private int blockSize = 4096;
  private String machine = "x86_64";
  private String release = "6.1.0-test";
  private long timestamp = 1_700_000_000L;
  private int status;
  private int dumpLevel = 31;
  private long physBase;
  private long maxMapnr;
  private boolean oneBitmap;
  private long splitStart;
  private long splitEnd = -1;
  private byte[] vmcoreinfo = {};
  private byte[] notes = {};
  private byte[] eraseinfo = {};

  public KdumpWriter(int version) {
    this.version = version;
  }

  /** A page that is stored. Pages above {@link #maxMapnr} raise it. */
  public KdumpWriter page(long pfn, byte[] bytes, Codec codec) {
    status |= codec.flag;
    return put(pfn, new Page(bytes, codec, false));
  }

  /** A page that is to be stored but that the writer never came to. */
  public KdumpWriter unwritten(long pfn) {
    return put(pfn, new Page(new byte[0], Codec.RAW, true));
  }

  private KdumpWriter put(long pfn, Page page) {
    pages.put(pfn, page);
    maxMapnr = Math.max(maxMapnr, pfn + 1);
    return this;
  }

  /** A page that the machine has and that was left out. */
  public KdumpWriter excluded(long pfn) {
    excluded.add(pfn);
    maxMapnr = Math.max(maxMapnr, pfn + 1);
    return this;
  }

  public KdumpWriter maxMapnr(long pages) {
    maxMapnr = pages;
    return this;
  }

  public KdumpWriter blockSize(int bytes) {
    blockSize = bytes;
    return this;
  }

  public KdumpWriter machine(String name) {
    machine = name;
    return this;
  }

  public KdumpWriter release(String name) {
    release = name;
    return this;
  }

  public KdumpWriter physBase(long address) {
    physBase = address;
    return this;
  }

  /** Signature {@code DISKDUMP}, without kdump's sub header. */
  public KdumpWriter diskdump() {
    signature = "DISKDUMP";
    return this;
  }

  /** Sets DUMP_DH_COMPRESSED_INCOMPLETE. */
  public KdumpWriter incomplete() {
    status |= 0x8;
    return this;
  }

  /** One bitmap only: nothing was left out. */
  public KdumpWriter oneBitmap() {
    oneBitmap = true;
    return this;
  }

  /**
   * Makes this the file of a split set that holds the page frames from {@code start} to {@code
   * end}.
   */
  public KdumpWriter split(long start, long end) {
    splitStart = start;
    splitEnd = end;
    return this;
  }

  public KdumpWriter vmcoreinfo(byte[] text) {
    vmcoreinfo = text;
    return this;
  }

  public KdumpWriter notes(byte[] region) {
    notes = region;
    return this;
  }

  public KdumpWriter eraseinfo(byte[] text) {
    eraseinfo = text;
    return this;
  }

  public byte[] build() {
    int bitmapBytes = (int) ((maxMapnr + 8L * blockSize - 1) / (8L * blockSize)) * blockSize;
    int extrasAt = blockSize + 104;
    int subBlocks =
        (104 + vmcoreinfo.length + notes.length + eraseinfo.length + blockSize - 1) / blockSize;
    int bitmapsAt = (1 + subBlocks) * blockSize;
    int bitmaps = oneBitmap ? 1 : 2;
    var out = new ByteArrayOutputStream();
    out.writeBytes(header(subBlocks, bitmaps * (bitmapBytes / blockSize)));
    pad(out, blockSize);
    if (signature.startsWith("KDUMP")) {
      out.writeBytes(subHeader(extrasAt));
    }
    pad(out, extrasAt);
    out.writeBytes(vmcoreinfo);
    out.writeBytes(notes);
    out.writeBytes(eraseinfo);
    pad(out, bitmapsAt);
    var first = new byte[bitmapBytes];
    var second = new byte[bitmapBytes];
    for (long pfn : excluded) {
      set(first, pfn);
    }
    for (long pfn : pages.keySet()) {
      set(first, pfn);
      set(second, pfn);
    }
    out.writeBytes(first);
    if (!oneBitmap) {
      out.writeBytes(second);
    }
    data(out);
    return out.toByteArray();
  }

  private void data(ByteArrayOutputStream out) {
    Map<Long, Page> mine = splitEnd < 0 ? pages : pages.subMap(splitStart, true, splitEnd, false);
    var descriptors = new ByteArrayOutputStream();
    var data = new ByteArrayOutputStream();
    long dataAt = out.size() + 24L * mine.size();
    Optional<Long> zeroPage = Optional.empty();
    for (Page page : mine.values()) {
      ByteBuffer d = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
      if (!page.unwritten) {
        byte[] stored = page.codec.compress(page.bytes);
        boolean smaller = stored.length < page.bytes.length;
        byte[] bytes = smaller ? stored : page.bytes;
        boolean zero = isZero(page.bytes);
        long at = zero && zeroPage.isPresent() ? zeroPage.get() : dataAt + data.size();
        if (!zero || zeroPage.isEmpty()) {
          data.writeBytes(bytes);
        }
        if (zero) {
          zeroPage = Optional.of(at);
        }
        d.putLong(at).putInt(bytes.length).putInt(smaller ? page.codec.flag : 0);
      }
      descriptors.writeBytes(d.array());
    }
    out.writeBytes(descriptors.toByteArray());
    out.writeBytes(data.toByteArray());
  }

  private byte[] header(int subBlocks, int bitmapBlocks) {
    ByteBuffer b = ByteBuffer.allocate(464).order(ByteOrder.LITTLE_ENDIAN);
    b.put(0, signature.getBytes(StandardCharsets.US_ASCII)).putInt(8, version);
    b.put(12, ascii("Linux")).put(77, ascii("host")).put(142, ascii(release));
    b.put(207, ascii("#1 SMP")).put(272, ascii(machine)).put(337, ascii("(none)"));
    b.putLong(408, timestamp).putLong(416, 5);
    b.putInt(424, status).putInt(428, blockSize).putInt(432, subBlocks).putInt(436, bitmapBlocks);
    b.putInt(440, (int) Math.min(maxMapnr, 0xffffffffL)).putInt(444, 7).putInt(452, pages.size());
    b.putInt(460, 2);
    return b.array();
  }

  private byte[] subHeader(int extrasAt) {
    ByteBuffer b = ByteBuffer.allocate(104).order(ByteOrder.LITTLE_ENDIAN);
    b.putLong(0, physBase);
    if (version >= 1) {
      b.putInt(8, dumpLevel);
    }
    if (version >= 2 && splitEnd >= 0) {
      b.putInt(12, 1).putLong(16, splitStart).putLong(24, splitEnd);
    }
    int at = extrasAt;
    if (version >= 3 && vmcoreinfo.length > 0) {
      b.putLong(32, at).putLong(40, vmcoreinfo.length);
    }
    at += vmcoreinfo.length;
    if (version >= 4 && notes.length > 0) {
      b.putLong(48, at).putLong(56, notes.length);
    }
    at += notes.length;
    if (version >= 5 && eraseinfo.length > 0) {
      b.putLong(64, at).putLong(72, eraseinfo.length);
    }
    if (version >= 6) {
      b.putLong(80, splitStart).putLong(88, Math.max(0, splitEnd)).putLong(96, maxMapnr);
    }
    return b.array();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static boolean isZero(byte[] bytes) {
    for (byte b : bytes) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  private static void set(byte[] bitmap, long pfn) {
    bitmap[(int) (pfn >> 3)] |= (byte) (1 << (pfn & 7));
  }

  private static void pad(ByteArrayOutputStream out, int size) {
    out.writeBytes(new byte[size - out.size()]);
  }
}
