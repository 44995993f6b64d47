// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.zip.InflaterInputStream;
import org.tukaani.xz.XZInputStream;

/**
 * Compressed content: {@code Elf64_Chdr { u32 ch_type, ch_reserved; u64 ch_size, ch_addralign }} or
 * {@code Elf32_Chdr { u32 ch_type, ch_size, ch_addralign }} and the compressed bytes (gABI,
 * "Section Compression"); in sections named {@code .zdebug_*} the text {@code ZLIB}, the size as a
 * big-endian u64, a zlib stream; in {@code .gnu_debugdata} an xz stream.
 *
 * <p>Content goes to memory outside the heap that the collector frees, and never takes more than
 * what the section declares, nor more than its bytes can hold.
 */
final class CompressedSection {
  private static final long MAX_SIZE = Integer.MAX_VALUE - 8L;

  /** The best that deflate can do: 258 bytes for 2 bits. */
  private static final long ZLIB_RATIO = 1032;

  /** A block of 128 KiB of one byte takes 4 bytes. */
  private static final long ZSTD_RATIO = 1 << 15;

  private static final long MAX_MINI_DEBUG_INFO = 256L << 20;
  private static final int XZ_MEMORY_KIB = 128 << 10;
  private static final int PIECE = 1 << 16;

  private CompressedSection() {}

  /** What opens a decoder of a stream. */
  private interface Decoder {
    InputStream open(InputStream in) throws IOException;
  }

  static ByteSource expand(ElfHeader header, SectionHeader section, ByteSource raw) {
    if ((section.flags() & Elf.SHF_COMPRESSED) != 0) {
      var cursor = raw.cursor(0, header.order());
      int type = cursor.i32();
      long size;
      if (header.is64()) {
        size = cursor.skip(4).u64();
        cursor.skip(8);
      } else {
        size = cursor.u32();
        cursor.skip(4);
      }
      return switch (type) {
        case Elf.ELFCOMPRESS_ZLIB ->
            declared(raw, cursor.offset(), size, ZLIB_RATIO, InflaterInputStream::new);
        case Elf.ELFCOMPRESS_ZSTD ->
            declared(raw, cursor.offset(), size, ZSTD_RATIO, ZstdInputStreamNoFinalizer::new);
        default ->
            throw new BadDataException(
                raw.name(), 0, "compression type " + type + ", expected 1 (zlib) or 2 (zstd)");
      };
    }
    if (section.name().startsWith(".zdebug_")) {
      var cursor = raw.cursor(0, ByteOrder.BIG_ENDIAN);
      long magic = cursor.u32();
      if (magic != 0x5a4c4942) {
        throw new BadDataException(
            raw.name(), 0, "starts with 0x" + Long.toHexString(magic) + ", expected ZLIB");
      }
      return declared(raw, 12, cursor.u64(), ZLIB_RATIO, InflaterInputStream::new);
    }
    return raw;
  }

  static ByteSource xz(ByteSource raw) {
    return new Expansion(raw, 0, MAX_MINI_DEBUG_INFO, false)
        .run(in -> new XZInputStream(in, XZ_MEMORY_KIB));
  }

  private static ByteSource declared(
      ByteSource raw, long start, long size, long ratio, Decoder decoder) {
    long most = Math.min(MAX_SIZE, (raw.size() - start) * ratio + PIECE);
    if (size < 0 || size > most) {
      throw new BadDataException(
          raw.name(),
          0,
          "claims to hold "
              + Long.toUnsignedString(size)
              + " bytes, but "
              + (raw.size() - start)
              + " compressed bytes hold at most "
              + most);
    }
    return new Expansion(raw, start, size, true).run(decoder);
  }

  /** One decompression; the memory grows with what comes out. */
  private static final class Expansion {
    private final ByteSource raw;
    private final long start;
    private final long limit;
    private final boolean exact;
    private MemorySegment into;
    private long done;

    /**
     * @param exact whether the content has {@code limit} bytes, rather than at most that
     */
    Expansion(ByteSource raw, long start, long limit, boolean exact) {
      this.raw = raw;
      this.start = start;
      this.limit = limit;
      this.exact = exact;
      this.into = Arena.ofAuto().allocate(Math.min(limit, (raw.size() - start) * 8 + PIECE));
    }

    ByteSource run(Decoder decoder) {
      try (var in = new SourceStream(raw, start);
          var stream = decoder.open(in)) {
        var piece = new byte[PIECE];
        for (int n = stream.read(piece); n >= 0; n = stream.read(piece)) {
          if (n > limit - done) {
            throw new BadDataException(raw.name(), start, "holds more than " + limit + " bytes");
          }
          append(piece, n);
        }
      } catch (IOException e) {
        throw new BadDataException(raw.name(), start, "corrupt: " + e.getMessage());
      }
      if (exact && done != limit) {
        throw new BadDataException(
            raw.name(), start, "holds " + done + " bytes, expected the declared " + limit);
      }
      return ByteSource.of(raw.name(), into.asSlice(0, done));
    }

    private void append(byte[] piece, int n) {
      if (n > into.byteSize() - done) {
        var larger = Arena.ofAuto().allocate(Math.min(limit, (done + n) * 2));
        MemorySegment.copy(into, 0, larger, 0, done);
        into = larger;
      }
      MemorySegment.copy(MemorySegment.ofArray(piece), 0, into, done, n);
      done += n;
    }
  }

  /** The rest of a source as a stream. */
  private static final class SourceStream extends InputStream {
    private final ByteSource source;
    private long at;

    SourceStream(ByteSource source, long at) {
      this.source = source;
      this.at = at;
    }

    @Override
    public int read() {
      var one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int from, int length) {
      if (length == 0) {
        return 0;
      }
      if (at >= source.size()) {
        return -1;
      }
      int n = (int) Math.min(length, source.size() - at);
      source.copy(at, n, MemorySegment.ofArray(into), from);
      at += n;
      return n;
    }
  }
}
