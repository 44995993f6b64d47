// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.kernel.Task;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.model.unwind.Frame;
import dev.fathom.testkit.lab.Fault;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.LabDump;
import dev.fathom.testkit.lab.LabRecipes;
import dev.fathom.testkit.lab.Recipe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Stacks in dumps of real guests against what the guests themselves said of them. */
@Tag("lab")
class StacksLabTest {
  private static final Lab LAB = Lab.open();

  /** A frame in the kernel's own traces; unreliable ones have a question mark before them. */
  private static final Pattern TRACED =
      Pattern.compile(
          "\\[ *[0-9.]+] (?: |RIP: 0010:)([\\w.]+\\+0x[0-9a-f]+)/0x[0-9a-f]+(?: \\[\\w+])?");

  private static void open(Path dump, Consumer<Kernel> use) {
    var options = new KernelOptions(Optional.empty(), true, Progress.NONE);
    try (var session = Session.open(List.of(dump), options)) {
      use.accept(session.kernel());
    }
  }

  static List<Recipe> byQemu() {
    return LabRecipes.byQemu();
  }

  static List<Recipe> panics() {
    return LabRecipes.byQemu().stream().filter(recipe -> recipe.fault() != Fault.NONE).toList();
  }

  static List<Recipe> spinning() {
    return LabRecipes.byQemu().stream().filter(Recipe::spin).toList();
  }

  @ParameterizedTest
  @MethodSource("byQemu")
  void sleepingTasksHaveTheStacksThatProcShows(Recipe recipe) {
    var dump = LAB.dump(recipe);
    open(dump.dump(), kernel -> compareWithProc(kernel, dump));
  }

  @ParameterizedTest
  @FieldSource("dev.fathom.testkit.lab.LabRecipes#KERNELS")
  void kdumpsHaveTheStacksThatProcShows(String version) {
    var dump = LAB.dump(LabRecipes.kdump(version));
    for (String name : List.of("lzo-d31", "vmcore")) {
      open(
          dump.kdump(name),
          kernel -> {
            compareWithProc(kernel, dump);
            comparePanic(kernel, dump);
          });
    }
  }

  @ParameterizedTest
  @MethodSource("panics")
  void aPanicHasTheStackThatTheLogShows(Recipe recipe) {
    var dump = LAB.dump(recipe);
    open(dump.dump(), kernel -> comparePanic(kernel, dump));
  }

  /** Unless an interrupt came just then. */
  @ParameterizedTest
  @MethodSource("spinning")
  void aTaskInUserModeHasNoStackButRegisters(Recipe recipe) {
    open(
        LAB.dump(recipe).dump(),
        kernel -> {
          var stack =
              kernel
                  .tasks(_ -> {})
                  .filter(task -> task.running() && !task.kernelThread())
                  .map(kernel::stack)
                  .findFirst()
                  .orElseThrow();
          assertThat(stack.entry().orElseThrow().pc().orElseThrow()).isPositive();
          if (stack.frames().isEmpty()) {
            assertThat(stack.end()).isEqualTo(Backtrace.End.NONE);
            assertThat(stack.why()).isEqualTo("in user mode");
          } else {
            assertThat(stack.end()).isEqualTo(Backtrace.End.COMPLETE);
            assertThat(stack.why()).isEqualTo("entry from user mode: interrupt or exception");
          }
        });
  }

  private static String text(Kernel kernel, Frame frame) {
    var symbol = kernel.program().symbols().at(frame.lookup()).orElseThrow().symbol();
    return symbol.name() + "+0x" + Long.toHexString(frame.pc() - symbol.address());
  }

  /** Frames as /proc/PID/stack shows them, which begin outside of the scheduler. */
  private static List<String> withoutScheduler(Kernel kernel, Backtrace stack) {
    var symbols = kernel.program().symbols();
    long start = symbols.first("__sched_text_start").orElseThrow().address();
    long end = symbols.first("__sched_text_end").orElseThrow().address();
    return stack.frames().stream()
        .dropWhile(frame -> Long.compareUnsigned(frame.pc() - start, end - start) < 0)
        .map(frame -> text(kernel, frame))
        .toList();
  }

  private static void compareWithProc(Kernel kernel, LabDump dump) {
    var told = dump.facts().stacks();
    var differ = new ArrayList<String>();
    int equal = 0;
    for (var task : kernel.tasks(_ -> {}).toList()) {
      // A thread whose page was left out has no id.
      var lines = task.id().isPresent() ? told.get((int) task.id().getAsLong()) : null;
      if (lines == null || task.running()) {
        continue;
      }
      var stack = kernel.stack(task);
      assertThat(stack.end())
          .as("end of %s: %s", task, stack.why())
          .isEqualTo(Backtrace.End.COMPLETE);
      var expected = lines.stream().map(line -> line.substring(0, line.indexOf('/'))).toList();
      var found = withoutScheduler(kernel, stack);
      if (found.equals(expected)) {
        equal++;
      } else {
        differ.add(task.name() + ": " + expected + ", found " + found);
        // Kernel threads and init went on between the listing and the dump.
        assertThat(task.kernelThread() || task.hasId(1)).as("%s", differ.getLast()).isTrue();
      }
    }
    assertThat(equal).isGreaterThan(40);
    assertThat(differ).hasSizeLessThan(8);
  }

  /** The reliable frames of the first trace of the console, behind the code that panics. */
  private static List<String> traced(LabDump dump) {
    var trace = new ArrayList<String>();
    boolean on = false;
    for (var line : dump.console().lines().toList()) {
      if (line.contains("Call Trace:")) {
        on = true;
      } else if (on && (line.contains("</TASK>") || line.contains("RIP: 0033:"))) {
        break;
      } else if (on) {
        var match = TRACED.matcher(line.stripTrailing());
        if (match.matches()) {
          trace.add(match.group(1));
        }
        if (line.contains(" panic+0x")) {
          trace.clear();
        }
      }
    }
    return trace;
  }

  private static void comparePanic(Kernel kernel, LabDump dump) {
    var expected = traced(dump);
    assertThat(expected).hasSizeGreaterThan(4);
    var panicked =
        kernel
            .tasks(_ -> {})
            .filter(Task::running)
            .map(kernel::stack)
            .map(stack -> stack.frames().stream().map(frame -> text(kernel, frame)).toList())
            .filter(
                frames ->
                    frames.stream()
                        .anyMatch(
                            frame ->
                                frame.startsWith("sysrq_handle_crash+")
                                    || frame.startsWith("fathom_fault_")))
            .toList();
    assertThat(panicked)
        .singleElement()
        .satisfies(frames -> assertThat(frames).endsWith(expected.toArray(String[]::new)));
  }
}
