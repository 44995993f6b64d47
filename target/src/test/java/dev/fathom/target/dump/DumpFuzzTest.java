// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.ByteSource;
import dev.fathom.base.FathomException;
import dev.fathom.base.Readability;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.Target;
import dev.fathom.target.VirtualMemory;
import dev.fathom.testkit.ElfCoreWriter;
import dev.fathom.testkit.FlattenedWriter;
import dev.fathom.testkit.KdumpWriter;
import dev.fathom.testkit.KdumpWriter.Codec;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Dumps cut off at every byte, with every byte changed, and with several changed: they open or are
 * refused by a FathomException, and reading never does worse than fault. Replay another run with
 * {@code -Dfathom.fuzz.seed=N}.
 */
class DumpFuzzTest {
  private static final long SEED = Long.getLong("fathom.fuzz.seed", 20261120L);
  private static final int WILD = 4000;
  private static final int BLOCK = 512;

  /** Bytes of a flattened stream's header that mean something. */
  private static final int HEADER = 32;

  private enum Sample {
    ELF,
    KDUMP,
    SPLIT,
    FLATTENED_ELF,
    FLATTENED_KDUMP;

    byte[] bytes() {
      return switch (this) {
        case ELF -> elf();
        case KDUMP -> kdump().build();
        case SPLIT -> kdump().split(2, 3000).build();
        case FLATTENED_ELF -> FlattenedWriter.flatten(elf(), 300, new Random(SEED));
        case FLATTENED_KDUMP -> FlattenedWriter.flatten(kdump().build(), 900, new Random(SEED));
      };
    }
  }

  @ParameterizedTest
  @EnumSource
  @Timeout(120)
  void survives(Sample sample) {
    byte[] good = sample.bytes();
    assertThat(use(good, "whole")).isTrue();
    var random = new Random(SEED);
    boolean flattened = sample == Sample.FLATTENED_ELF || sample == Sample.FLATTENED_KDUMP;
    for (int i = 0; i < good.length; i++) {
      if (flattened && i > HEADER && i < 4096 && i % 100 != 0) {
        continue; // padding of the stream's header
      }
      use(Arrays.copyOf(good, i), "cut");
      byte[] changed = good.clone();
      changed[i] ^= (byte) (1 << random.nextInt(8));
      use(changed, "flip");
      changed[i] = (byte) (random.nextBoolean() ? 0xff : 0x7f);
      use(changed, "fill");
    }
    for (int i = 0; i < WILD; i++) {
      byte[] wild = good.clone();
      for (int n = 1 + random.nextInt(8); n > 0; n--) {
        int limit = random.nextInt(3) == 0 ? wild.length : Math.min(wild.length, 1200);
        wild[random.nextInt(limit)] = (byte) random.nextInt();
      }
      use(wild, "wild");
    }
  }

  /**
   * A flattened stream may place its last byte 2^60 bytes away for the price of 17, and the hole in
   * between reads as zeros: found by the test above, as program headers without end.
   */
  @Test
  @Timeout(20)
  void aHoleFullOfProgramHeadersIsNotRead() {
    byte[] image = elf();
    byte[] head = Arrays.copyOf(image, 64);
    ByteBuffer section = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
    section.putInt(44, 0x7fffffff);
    byte[] stream =
        new FlattenedWriter()
            .block(0, head)
            .block(64, section.array())
            .block(1L << 60, (byte) 1)
            .finish();
    assertThatThrownBy(() -> DumpProvider.openSources(List.of(ByteSource.of("flat", stream))))
        .isInstanceOf(FathomException.class)
        .hasMessage("flat: at offset 0x38: 2147483647 program headers, expected at most 2097152");
  }

  /** Whether it opened. */
  private static boolean use(byte[] bytes, String how) {
    try (Target target = DumpProvider.openSources(List.of(ByteSource.of("fuzz", bytes)))) {
      var page = new byte[700];
      var physical = target.find(PhysicalMemory.class);
      if (physical.isPresent()) {
        PhysicalMemory memory = physical.get();
        memory.ranges();
        for (long at :
            new long[] {0, BLOCK, 2 * BLOCK + 300, 2000 * BLOCK, 0x1000, 0x8000, 1L << 40, -5}) {
          int count = memory.read(at, MemorySegment.ofArray(page));
          assertThat(count).isBetween(0, page.length);
          if (count < page.length) {
            assertThat(memory.at(at + count)).isNotEqualTo(Readability.READABLE);
          }
        }
      }
      var virtual = target.find(VirtualMemory.class);
      if (virtual.isPresent()) {
        virtual.get().read(0xffffffff81000000L, MemorySegment.ofArray(page));
      }
      target.warnings();
      return true;
    } catch (FathomException e) {
      assertThat(e.getMessage()).isNotBlank().doesNotContain("\n");
      return false;
    } catch (RuntimeException | Error e) {
      String hex =
          bytes.length < 20_000 ? HexFormat.of().formatHex(bytes) : bytes.length + " bytes";
      throw new AssertionError(how + ", seed " + SEED + ": " + hex, e);
    }
  }

  private static byte[] elf() {
    return new ElfCoreWriter()
        .extendedNumbering()
        .load(0x1000, 0xffffffff81000000L, noise(1), 0x1000)
        .load(0x8000, 0xffff888000008000L, noise(2))
        .load(0x8200, 0xffff888000008200L, noise(3))
        .note("CORE", 1, ElfCoreWriter.prStatus(1, 2, 3, 4))
        .note("QEMU", 0, ElfCoreWriter.qemuCpuState(9, true))
        .note("VMCOREINFO", 0, "OSRELEASE=6.1\n".getBytes(StandardCharsets.US_ASCII))
        .build();
  }

  private static KdumpWriter kdump() {
    return new KdumpWriter(6)
        .blockSize(BLOCK)
        .page(1, text(1), Codec.ZLIB)
        .page(2, noise(2), Codec.RAW)
        .page(3, text(3), Codec.SNAPPY)
        .page(5, text(4), Codec.LZO)
        .page(2000, text(5), Codec.ZSTD)
        .excluded(77)
        .notes(ElfCoreWriter.noteRegion("CORE", 1, ElfCoreWriter.prStatus(1, 2, 3)))
        .vmcoreinfo("OSRELEASE=6.1\n".getBytes(StandardCharsets.US_ASCII));
  }

  private static byte[] text(int number) {
    var page = new byte[BLOCK];
    for (int i = 0; i < BLOCK; i += 8) {
      page[i] = (byte) (number + i / 64);
    }
    return page;
  }

  private static byte[] noise(int number) {
    var page = new byte[BLOCK];
    new Random(number).nextBytes(page);
    return page;
  }
}
