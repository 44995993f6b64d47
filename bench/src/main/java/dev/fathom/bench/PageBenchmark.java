// SPDX-License-Identifier: Apache-2.0
package dev.fathom.bench;

import com.github.luben.zstd.Zstd;
import dev.fathom.format.compress.Decompressor;
import dev.fathom.format.compress.Zlib;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.Deflater;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** One 4 KiB page out of a kdump: small numbers and kernel-like pointers, a third of it zeros. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class PageBenchmark {
  private static final int PAGE = 4096;

  /** How the page is stored. */
  @Param({"zlib", "zstd"})
  public String codec;

  private byte[] stored;
  private Decompressor decompressor;
  private final byte[] page = new byte[PAGE];

  /** Makes the page, from a fixed seed, and compresses it. */
  @Setup
  public void store() {
    Random random = new Random(1);
    byte[] plain = new byte[PAGE];
    for (int at = PAGE / 3; at < PAGE; at += Long.BYTES) {
      long word =
          random.nextBoolean() ? random.nextInt(64) : 0xffff888000000000L + random.nextInt();
      for (int i = 0; i < Long.BYTES && at + i < PAGE; i++) {
        plain[at + i] = (byte) (word >>> (Byte.SIZE * i));
      }
    }
    switch (codec) {
      case "zlib" -> {
        byte[] room = new byte[2 * PAGE];
        try (Deflater deflater = new Deflater()) {
          deflater.setInput(plain);
          deflater.finish();
          stored = Arrays.copyOf(room, deflater.deflate(room));
        }
        decompressor = new Zlib();
      }
      case "zstd" -> {
        stored = Zstd.compress(plain);
        decompressor = new dev.fathom.format.compress.Zstd();
      }
      default -> throw new IllegalArgumentException(codec);
    }
  }

  /** The page's bytes again. */
  @Benchmark
  public byte[] read() {
    if (decompressor.decompress(stored, 0, stored.length, page) != PAGE) {
      throw new IllegalStateException("short page");
    }
    return page;
  }
}
