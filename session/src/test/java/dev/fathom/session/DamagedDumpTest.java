// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.FathomException;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.kernel.Task;
import dev.fathom.testkit.lab.Flavour;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.LabDump;
import dev.fathom.testkit.lab.LabRecipes;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Real dumps that end too early or have wrong bytes: they open with what they have, or the error is
 * one of Fathom's own, in one line. A failure names its seed; {@code -Dfathom.fuzz.seed=N} repeats
 * it.
 */
@Tag("lab")
class DamagedDumpTest {
  private static final Lab LAB = Lab.open();
  private static final int TRIES = 12;

  @TempDir private Path folder;

  static Stream<Path> dumps() {
    LabDump kdump = LAB.dump(LabRecipes.kdump("6.1"));
    return Stream.of(
        kdump.kdump("lzo-d31"),
        kdump.kdump("zlib-d31"),
        kdump.kdump("flat-lzo-d31"),
        kdump.kdump("flat-elf-d31"),
        kdump.kdump("elf-d31"),
        LAB.dump(LabRecipes.healthy("6.1")).dump(Flavour.KDUMP_ZLIB).orElseThrow());
  }

  @ParameterizedTest
  @MethodSource("dumps")
  @Timeout(300)
  void cutOffDumpsOpenOrSayWhy(Path dump) throws IOException {
    Random random = new Random(seed());
    Path copy = Files.copy(dump, folder.resolve("dump"));
    long size = Files.size(copy);
    for (int i = 0; i < TRIES; i++) {
      size = i < TRIES / 2 ? (long) (size * (0.5 + random.nextDouble() / 2)) : size >> 3;
      try (RandomAccessFile file = new RandomAccessFile(copy.toFile(), "rw")) {
        file.setLength(size);
      }
      look(copy, dump + " cut off at " + size);
    }
  }

  @ParameterizedTest
  @MethodSource("dumps")
  @Timeout(300)
  void dumpsWithWrongBytesOpenOrSayWhy(Path dump) throws IOException {
    long seed = seed();
    Random random = new Random(seed);
    Path copy = Files.copy(dump, folder.resolve("dump"));
    for (int i = 0; i < TRIES; i++) {
      long limit = i % 2 == 0 ? 16384 : Files.size(copy);
      List<Long> places = new ArrayList<>();
      try (RandomAccessFile file = new RandomAccessFile(copy.toFile(), "rw")) {
        for (int n = 0; n < 64; n++) {
          long at = random.nextLong(limit);
          file.seek(at);
          file.write(random.nextInt(256));
          places.add(at);
        }
      }
      look(copy, dump + " with seed " + seed + ", try " + i + ", wrong bytes at " + places);
      Files.delete(copy);
      Files.copy(dump, copy);
    }
  }

  private static long seed() {
    return Long.getLong("fathom.fuzz.seed", System.nanoTime());
  }

  /** Opens the dump and walks all that can be walked; only Fathom's own errors may come. */
  private static void look(Path dump, String what) {
    try (Session session =
        Session.open(List.of(dump), new KernelOptions(Optional.empty(), true, Progress.NONE))) {
      List<String> remarks = new ArrayList<>();
      List<Task> tasks = session.kernel().tasks(remarks::add).toList();
      for (Task task : tasks) {
        assertThat(session.kernel().stack(task).why()).as(what).isNotNull();
      }
      assertThat(session.kernel().images()).as(what).isNotEmpty();
      assertThat(session.kernel().log(remarks::add).count()).as(what).isNotNegative();
    } catch (FathomException e) {
      assertThat(e.getMessage()).as(what).isNotBlank().doesNotContain("\n");
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
      throw new AssertionError(what, e);
    }
  }
}
