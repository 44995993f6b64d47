// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.Readability;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.PageClasses.Use;
import dev.fathom.kernel.Progress;
import dev.fathom.session.Session;
import dev.fathom.session.dump.DumpOptions.Compression;
import dev.fathom.session.dump.DumpOptions.Exclusion;
import dev.fathom.session.dump.DumpOptions.Format;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.LabDump;
import dev.fathom.testkit.lab.LabRecipes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.FieldSource;

/** Dumps of real guests, filtered. */
@Tag("lab")
class DumpLabTest {
  private static final Lab LAB = Lab.open();
  private static final int PAGE = 4096;
  private static final KernelOptions OPTIONS =
      new KernelOptions(Optional.empty(), true, Progress.NONE);

  @TempDir private Path folder;

  private static DumpReport dump(Path from, Path to, Format format, Set<Exclusion> excluded) {
    var warnings = new ArrayList<String>();
    var compression = format == Format.ELF ? Compression.NONE : Compression.ZSTD;
    try (var source = DumpSource.open(List.of(from), OPTIONS, warnings::add)) {
      var options = new DumpOptions(format, compression, false, excluded, false, true);
      var report =
          new DumpJob(source.target(), source.kernel(), options, Progress.NONE, warnings::add)
              .toFile(to);
      assertThat(warnings).isEmpty();
      return report;
    }
  }

  /** What a user would see of a kernel. */
  private static List<String> answers(Path file) {
    var answers = new ArrayList<String>();
    try (var session = Session.open(List.of(file), OPTIONS)) {
      Kernel kernel = session.kernel();
      kernel
          .tasks(answers::add)
          .forEach(
              task -> {
                answers.add(task.id() + " " + task.name() + " " + task.state());
                var stack = kernel.stack(task);
                stack
                    .frames()
                    .forEach(
                        frame ->
                            answers.add(
                                Long.toHexString(frame.pc())
                                    + " "
                                    + Long.toHexString(frame.cfa())
                                    + " "
                                    + frame.how()));
                answers.add(stack.end().toString());
              });
      kernel.log(answers::add).forEach(entry -> answers.add(entry.text()));
      kernel.images().forEach(image -> answers.add(image.name() + " " + image.ranges()));
      answers.addAll(kernel.warnings());
    }
    return answers;
  }

  @ParameterizedTest
  @FieldSource("dev.fathom.testkit.lab.LabRecipes#KERNELS")
  void theKernelIsAllThereWithoutTheRest(String kernel) {
    Path source = LAB.dump(LabRecipes.healthy(kernel)).dump();
    var before = answers(source);
    assertThat(before).hasSizeGreaterThan(500);
    for (Format format : Format.values()) {
      Path file = folder.resolve(kernel + format);
      var report = dump(source, file, format, EnumSet.allOf(Exclusion.class));
      assertThat(report.stored()).isLessThan(report.pages() / 4);
      assertThat(report.excluded().get(Use.FREE)).isGreaterThan(report.pages() / 2);
      assertThat(report.excluded().get(Use.USER)).isPositive();
      assertThat(report.excluded().get(Use.CACHE)).isPositive();
      assertThat(answers(file)).isEqualTo(before);
    }
  }

  /** Debian's makedumpfile ran in the crash kernel and knows 6.1. */
  @Test
  void thePagesAreThoseOfMakedumpfile() {
    LabDump kdump = LAB.dump(LabRecipes.kdump("6.1"));
    Path file = folder.resolve("dump");
    dump(kdump.kdump("vmcore"), file, Format.KDUMP, EnumSet.allOf(Exclusion.class));
    try (var ours = DumpSource.open(List.of(file), OPTIONS, _ -> {});
        var theirs = DumpSource.open(List.of(kdump.kdump("zlib-d31")), OPTIONS, _ -> {})) {
      var a = ours.target().find(PhysicalMemory.class).orElseThrow();
      var b = theirs.target().find(PhysicalMemory.class).orElseThrow();
      long stored = 0;
      for (var range : b.ranges()) {
        long first = (range.start() + PAGE - 1) & -PAGE;
        for (long at = first; at + PAGE <= range.end(); at += PAGE) {
          boolean there = b.at(at) == Readability.READABLE;
          assertThat(a.at(at) == Readability.READABLE).as("page 0x%x", at).isEqualTo(there);
          if (there) {
            stored++;
            assertThat(a.bytes(at, PAGE)).isEqualTo(b.bytes(at, PAGE));
          }
        }
      }
      assertThat(stored).isGreaterThan(10_000);
    }
  }

  @ParameterizedTest
  @EnumSource
  void crashSaysTheSame(Compression compression) {
    Path source = LAB.dump(LabRecipes.healthy("6.1")).dump();
    var crash = LAB.crash("6.1");
    var commands = List.of("ps", "log", "mod", "bt -a", "kmem -i", "p init_task.comm");
    var before = crash.ask(source, commands);
    assertThat(before.getFirst()).contains("swapper/0");
    var format = compression == Compression.NONE ? Format.ELF : Format.KDUMP;
    Path file = folder.resolve("crash" + compression);
    try (var machine = DumpSource.open(List.of(source), OPTIONS, _ -> {})) {
      var excluded = EnumSet.of(Exclusion.FREE, Exclusion.USER);
      var options = new DumpOptions(format, compression, false, excluded, false, false);
      new DumpJob(machine.target(), machine.kernel(), options, Progress.NONE, _ -> {}).toFile(file);
    }
    assertThat(crash.ask(file, commands)).isEqualTo(before);
  }
}
