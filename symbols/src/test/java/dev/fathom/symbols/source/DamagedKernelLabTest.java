// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.source;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.Dwarf;
import dev.fathom.format.dwarf.DwarfNames;
import dev.fathom.format.dwarf.DwarfSections;
import dev.fathom.format.dwarf.LineFiles;
import dev.fathom.format.dwarf.Unit;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.format.elf.SectionHeader;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.symbols.dwarf.DwarfTypeSource;
import dev.fathom.symbols.elf.Placement;
import dev.fathom.testkit.lab.Lab;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Bytes of one section after the other of Debian's 590 MB vmlinux are changed, in memory alone, and
 * names, types, lines and variables are read. Other bytes in each run; the seed of a run that
 * failed repeats it.
 */
@Tag("lab")
@Timeout(1200)
final class DamagedKernelLabTest {
  private static final long SEED = Long.getLong("fathom.fuzz.seed", System.nanoTime());
  private static final int CASES = 2;

  /** Changed bytes for each megabyte of a section, so that what is read meets some. */
  private static final int EACH_MEGABYTE = 50;

  private static final int UNITS = 12;
  private static final int NAMES = 400;

  private record Sections(ElfFile elf) implements DwarfSections {
    @Override
    public String name() {
      return "all";
    }

    @Override
    public ByteOrder order() {
      return elf.header().order();
    }

    @Override
    public Optional<ByteSource> find(String section) {
      return elf.sections().relocated(section);
    }
  }

  private static void read(ElfFile elf, Random random, TreeSet<String> answers) {
    DamagedSectionsTest.attempt(
        answers,
        () -> {
          var dwarf = Dwarf.open(new Sections(elf));
          var names = DwarfNames.build(dwarf, 2);
          if (!names.problems().isEmpty()) {
            answers.add("problems");
          }
          var types = new DwarfTypeSource("dwarf", () -> names);
          for (int i = 0; i < NAMES && names.size() > 0; i++) {
            var entry = names.get(random.nextInt(names.size()));
            DamagedSectionsTest.attempt(
                answers, () -> DamagedSectionsTest.follow(types.type(entry.die()), 0, answers));
          }
          var source =
              new DwarfSource(
                  "dwarf",
                  dwarf,
                  types,
                  Optional.empty(),
                  X86_64.INSTANCE,
                  Placement.asLinked(),
                  () -> LineFiles.build(dwarf, 2));
          var units = dwarf.units();
          for (int i = 0; i < UNITS && !units.isEmpty(); i++) {
            for (long pc : places(units.get(random.nextInt(units.size())), random)) {
              DamagedSectionsTest.code(source, pc, answers);
            }
          }
        });
  }

  private static List<Long> places(Unit unit, Random random) {
    var found = new ArrayList<Long>();
    try {
      for (var child = unit.root().firstChild();
          child.isPresent() && found.size() < 2 * UNITS;
          child = child.get().next()) {
        var low = child.get().address(At.LOW_PC);
        if (low.isPresent()) {
          found.add(low.getAsLong() + random.nextInt(64));
        }
      }
    } catch (BadDataException e) {
      return found; // Those before it will do.
    }
    return found;
  }

  @Test
  void eachReadEndsInAnAnswerOrAnErrorThatNamesItsPlace() throws IOException {
    var file = Lab.open().crash("6.1").vmlinux();
    try (var arena = Arena.ofShared();
        var channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      // What is changed is in this process's memory alone.
      var bytes = channel.map(FileChannel.MapMode.PRIVATE, 0, Files.size(file), arena);
      var elf = ElfFile.read(ByteSource.of("all", bytes));
      var whole = new TreeSet<String>();
      read(elf, new Random(SEED), whole);
      assertThat(whole).doesNotContain("bad", "problems").hasSizeGreaterThan(100);
      for (var section : elf.sections().all()) {
        if (section.name().startsWith(".debug_") && section.size() > 0) {
          for (int i = 0; i < CASES; i++) {
            damaged(elf, bytes, section, new Random(SEED + i));
          }
        }
      }
      var again = new TreeSet<String>();
      read(elf, new Random(SEED), again);
      assertThat(again).isEqualTo(whole);
    }
  }

  private static void damaged(
      ElfFile elf, MemorySegment bytes, SectionHeader section, Random random) {
    var before = new LinkedHashMap<Long, Byte>();
    long count = 4 + section.size() * EACH_MEGABYTE / (1 << 20);
    for (int i = 0; i < count; i++) {
      long at = section.offset() + random.nextLong(section.size());
      before.putIfAbsent(at, bytes.get(ValueLayout.JAVA_BYTE, at));
      bytes.set(ValueLayout.JAVA_BYTE, at, (byte) random.nextInt(256));
    }
    try {
      read(elf, random, new TreeSet<>());
    } catch (RuntimeException | Error e) {
      throw new AssertionError(
          section.name() + " damaged, replay with -Dfathom.fuzz.seed=" + SEED, e);
    } finally {
      for (Map.Entry<Long, Byte> byteAt : before.entrySet()) {
        bytes.set(ValueLayout.JAVA_BYTE, byteAt.getKey(), byteAt.getValue());
      }
    }
  }
}
