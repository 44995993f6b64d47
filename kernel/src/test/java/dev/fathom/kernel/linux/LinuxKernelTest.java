// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.LogEntry;
import dev.fathom.kernel.Mapping;
import dev.fathom.kernel.MemoryUse;
import dev.fathom.kernel.Task;
import dev.fathom.kernel.Walker;
import dev.fathom.model.Image;
import dev.fathom.model.Registers;
import dev.fathom.model.Value;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.Cpu;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A whole small kernel, in both eras of its structures. */
class LinuxKernelTest {
  private final List<String> notes = new ArrayList<>();

  private static SyntheticKernel kernel(SyntheticKernel.Era era) {
    return new SyntheticKernel(era, 4);
  }

  private List<String> ps(Kernel kernel) {
    return kernel
        .tasks(notes::add)
        .map(
            t ->
                String.join(
                    " ",
                    t.idText(),
                    number(t.process()),
                    number(t.parent()),
                    String.valueOf(t.state()),
                    t.name()))
        .toList();
  }

  private static String number(OptionalLong number) {
    return number.isPresent() ? Long.toString(number.getAsLong()) : "?";
  }

  @ParameterizedTest
  @EnumSource
  void listsEveryThread(SyntheticKernel.Era era) {
    var kernel = kernel(era).open();
    assertThat(ps(kernel))
        .containsExactly(
            "0 0 0 R swapper/0",
            "0 0 0 R swapper/1",
            "1 1 0 S init",
            "7 1 0 R init-worker",
            "2 2 0 I kthreadd",
            "30 30 1 Z gone");
    assertThat(notes).isEmpty();
    assertThat(kernel.warnings()).isEmpty();
    assertThat(kernel.taskOfId(2).map(Task::kernelThread)).contains(true);
    assertThat(kernel.taskOfId(1).map(Task::kernelThread)).contains(false);
    assertThat(kernel.taskOfId(1).map(t -> t.cpu().orElseThrow())).contains(1);
    assertThat(kernel.taskOfId(99)).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void knowsWhatRunsWhere(SyntheticKernel.Era era) {
    var synthetic = kernel(era);
    synthetic.run(7, 1);
    // The target numbers its CPUs otherwise than the kernel: the stack tells.
    var target = synthetic.target(true, synthetic.cpu(0, 7), synthetic.cpu(1, 0));
    var kernel = SyntheticKernel.open(target, true).orElseThrow();
    var cpus = kernel.cpus();
    assertThat(cpus).hasSize(2);
    assertThat(cpus.get(1).current().map(Task::id)).contains(OptionalLong.of(7));
    assertThat(cpus.get(0).facts().stream().map(Datum.Field::value).map(Cell::toString))
        .anyMatch(text -> text.contains("value=3"));
    var worker = kernel.taskOfId(7).orElseThrow();
    assertThat(worker.running()).isTrue();
    assertThat(kernel.registersOf(worker).orElseThrow().get(X86_64.RIP).orElseThrow())
        .isEqualTo(SyntheticKernel.IMAGE + 0x1010);
    assertThat(kernel.initialTask().map(Task::id)).contains(OptionalLong.of(7));
    assertThat(kernel.perCpu(0x1000, 1)).hasValue(cpus.get(1).object().orElseThrow().address());
  }

  @ParameterizedTest
  @EnumSource
  void theSizeOfAProcessHasWhatThreadsAndCpusCountByThemselves(SyntheticKernel.Era era) {
    var kernel = kernel(era).open();
    var size = new MemoryUse(6 << 12, (102 + 22 + 7) << 12);
    assertThat(kernel.memoryUse(kernel.taskOfId(1).orElseThrow())).contains(size);
    assertThat(kernel.memoryUse(kernel.taskOfId(7).orElseThrow())).contains(size);
    assertThat(kernel.memoryUse(kernel.taskOfId(2).orElseThrow())).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void registersOfASleepingTaskAreThoseSaved(SyntheticKernel.Era era) {
    var kernel = kernel(era).open();
    var saved = kernel.registersOf(kernel.taskOfId(1).orElseThrow()).orElseThrow();
    assertThat(saved.pc()).hasValue(SyntheticKernel.IMAGE + 0x1055);
    assertThat(saved.get(X86_64.RBP)).hasValue(0xb0b0);
    assertThat(saved.get(X86_64.RAX)).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void modulesBringTheirSymbols(SyntheticKernel.Era era) {
    var kernel = kernel(era).open();
    assertThat(kernel.images()).extracting(Image::name).containsExactly("vmlinux", "testmod");
    long length = kernel.images().get(1).ranges().stream().mapToLong(r -> r.length()).sum();
    assertThat(length).isEqualTo(0x4000);
    assertThat(kernel.program().symbols().text(0xffff_ffff_c000_0044L))
        .isEqualTo("testmod`testmod_read+4");
    assertThat(kernel.images().get(1).buildId()).contains("ab01" + "0".repeat(36));
    assertThat(field(kernel.details(kernel.images().get(1)), "refs")).isEqualTo(Cell.decimal(2));
    assertThat(field(kernel.details(kernel.images().get(0)), "refs"))
        .isInstanceOf(Cell.Absent.class);
  }

  @ParameterizedTest
  @EnumSource
  void logInOrderAcrossItsEnd(SyntheticKernel.Era era) {
    var kernel = kernel(era).open();
    assertThat(kernel.log(notes::add))
        .extracting(LogEntry::sequence, LogEntry::nanos, LogEntry::level, LogEntry::text)
        .containsExactly(
            tuple(0L, 0L, 0, "Linux version 6.4.0-test"),
            tuple(
                1L,
                1_000_000L,
                1,
                "BUG: kernel NULL pointer dereference, address: 0000000000000000"),
            tuple(2L, 2_000_000L, 2, "RIP: 0010:do_things+0x55/0x80"),
            tuple(3L, 3_000_000L, 3, "Kernel panic - not syncing: Fatal exception"));
    assertThat(notes).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void panicHasCauseAndPlace(SyntheticKernel.Era era) {
    var synthetic = kernel(era);
    synthetic.put4(synthetic.symbols.get("panic_cpu"), 1);
    synthetic.run(1, 1);
    var kernel = synthetic.open();
    assertThat(text(kernel.panic(), "message")).isEqualTo("Fatal exception");
    assertThat(text(kernel.panic(), "cause")).startsWith("BUG: kernel NULL pointer");
    assertThat(text(kernel.panic(), "name")).isEqualTo("init");
    assertThat(field(kernel.panic(), "pc"))
        .isEqualTo(new Cell.Symbolic(SyntheticKernel.IMAGE + 0x1055, "do_things+0x55"));
    assertThat(kernel.initialTask().map(Task::id)).contains(OptionalLong.of(1));
  }

  private static Cell field(List<Datum.Field> fields, String key) {
    return fields.stream().filter(f -> f.key().equals(key)).findFirst().orElseThrow().value();
  }

  private static String text(List<Datum.Field> fields, String key) {
    return ((Cell.Text) field(fields, key)).value();
  }

  @Test
  void factsSayWhatIsMissing() {
    var facts = kernel(SyntheticKernel.Era.NEW).open().facts();
    assertThat(text(facts, "release")).isEqualTo("6.4.0-test");
    assertThat(text(facts, "node")).isEqualTo("node");
    assertThat(text(facts, "command_line")).isEqualTo("console=ttyS0 quiet");
    assertThat(text(facts, "taint")).isEqualTo("GO");
    assertThat(field(facts, "kaslr_offset")).isEqualTo(Cell.hex(0x300_0000));
    assertThat(field(facts, "uptime")).isInstanceOf(Cell.Absent.class);
  }

  @ParameterizedTest
  @EnumSource
  void mappingsOfAProcess(SyntheticKernel.Era era) {
    var kernel = kernel(era).open();
    var init = kernel.taskOfId(1).orElseThrow();
    assertThat(kernel.mappings(init, notes::add))
        .extracting(Mapping::protection, Mapping::name)
        .containsExactly(tuple("r-xp", "/mnt/bin/init"), tuple("rw-p", "[heap]"));
    assertThat(kernel.userSpace(init).orElseThrow().cString(0x40_0001, 3)).isEqualTo("ELF");
    assertThat(kernel.userSpace(kernel.taskOfId(2).orElseThrow())).isEmpty();
    assertThat(kernel.mappings(kernel.taskOfId(2).orElseThrow(), notes::add)).isEmpty();
    assertThat(notes).isEmpty();
  }

  private List<Long> walk(Kernel kernel, String name, Optional<Value> start) {
    return kernel.walkers().stream()
        .filter(w -> w.name().equals(name))
        .findFirst()
        .orElseThrow()
        .walk(kernel.program(), start, notes::add)
        .map(Value::address)
        .toList();
  }

  @ParameterizedTest
  @EnumSource
  void walkersByName(SyntheticKernel.Era era) {
    var synthetic = kernel(era);
    var kernel = synthetic.open();
    Optional<Value> init = Optional.of(kernel.taskOfId(1).orElseThrow().object());
    assertThat(walk(kernel, "thread", Optional.empty())).hasSize(6);
    assertThat(walk(kernel, "thread", init))
        .containsExactly(synthetic.tasks.get(1), synthetic.tasks.get(7));
    assertThat(walk(kernel, "proc", Optional.empty())).hasSize(3);
    assertThat(walk(kernel, "children", init)).containsExactly(synthetic.tasks.get(30));
    assertThat(walk(kernel, "cpu", Optional.empty())).hasSize(2);
    assertThat(walk(kernel, "module", Optional.empty()))
        .containsExactly(SyntheticKernel.MODULE + 0x3000);
    assertThat(walk(kernel, "vma", init)).hasSize(2);
    assertThat(walk(kernel, "list", Optional.of(kernel.program().global("modules"))))
        .containsExactly(SyntheticKernel.MODULE + 0x3000 + synthetic.member("module.list"));
    assertThat(notes).isEmpty();
  }

  @Test
  void whatisNamesStacksTasksModulesAndPerCpuVariables() {
    var synthetic = kernel(SyntheticKernel.Era.NEW);
    var kernel = synthetic.open();
    long init = synthetic.tasks.get(1);
    assertThat(kernel.whatis(init + 4)).first().asString().endsWith("of thread 1 (init)");
    assertThat(kernel.whatis(SyntheticKernel.IMAGE + 0x1004))
        .first()
        .asString()
        .endsWith("is do_things+4, in vmlinux's text segment");
    assertThat(kernel.whatis(kernel.perCpu(0x1004, 1).orElseThrow()))
        .first()
        .asString()
        .endsWith("is runqueues+4, a per-CPU variable, of CPU 1");
    assertThat(kernel.whatis(0xffff_ffff_c000_0044L)).hasSizeGreaterThanOrEqualTo(2);
    assertThat(kernel.whatis(0x1234)).isEmpty();
  }

  @Test
  void regionsAscend() {
    var regions = kernel(SyntheticKernel.Era.NEW).open().mappings();
    assertThat(regions).extracting(Mapping::name).contains("kernel image", "module testmod text");
    for (int i = 1; i < regions.size(); i++) {
      assertThat(
              Long.compareUnsigned(
                  regions.get(i - 1).range().start(), regions.get(i).range().start()))
          .isNotPositive();
    }
  }

  @Test
  void globalsAreTyped() {
    var program = kernel(SyntheticKernel.Era.NEW).open().program();
    assertThat(program.global("init_task").member("comm").string(16)).isEqualTo("swapper/0");
    assertThat(program.global("saved_command_line").string(100)).startsWith("console=");
    assertThat(program.global("__per_cpu_offset").index(1).asLong()).isNegative();
    assertThat(program.global("runqueues").member("nr_running").asLong()).isEqualTo(3);
  }

  @Test
  void aTaskThatIsNotInTheDumpIsOneLine() {
    var synthetic = kernel(SyntheticKernel.Era.NEW);
    synthetic.ram.drop(synthetic.physical(synthetic.tasks.get(30)));
    // Its place in the list cannot be read either, but from its other end the list can.
    var kernel = synthetic.open();
    assertThat(ps(kernel))
        .containsExactly(
            "0 0 0 R swapper/0",
            "0 0 0 R swapper/1",
            "1 1 0 S init",
            "7 1 0 R init-worker",
            "2 2 0 I kthreadd",
            "? ? ? ? <not readable>");
    assertThat(notes).anyMatch(n -> n.contains("page not in the dump"));
  }

  /** Remarks of a user who asks to stop at once. */
  private static final class Stop implements Walker.Notes {
    @Override
    public void note(String text) {
      throw new AssertionError(text);
    }

    @Override
    public void checkInterrupt() {
      throw new EvalException("stopped");
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyWalkCanBeStopped(SyntheticKernel.Era era) {
    var kernel = kernel(era).open();
    var init = kernel.taskOfId(1).orElseThrow();
    var stop = new Stop();
    assertStops(() -> kernel.tasks(stop).count());
    assertStops(() -> kernel.log(stop).count());
    assertStops(() -> kernel.mappings(init, stop));
    for (var name : List.of("thread", "proc", "module", "children", "vma")) {
      var walker =
          kernel.walkers().stream().filter(w -> w.name().equals(name)).findFirst().orElseThrow();
      var start =
          walker.start() == Walker.Start.NONE
              ? Optional.<Value>empty()
              : Optional.of(init.object());
      assertStops(() -> walker.walk(kernel.program(), start, stop).count());
    }
  }

  private static void assertStops(ThrowingCallable walk) {
    assertThatThrownBy(walk).isInstanceOf(EvalException.class).hasMessage("stopped");
  }

  @Test
  void aRingOfEntriesThatCannotBeReadEndsSoon() {
    var synthetic = kernel(SyntheticKernel.Era.NEW);
    long ring = synthetic.symbols.get("printk_rb_static");
    synthetic.put4(ring, 26);
    synthetic.put8(ring + synthetic.member("prb_desc_ring.descs"), 0x1000);
    synthetic.put8(ring + synthetic.member("prb_desc_ring.tail_id"), 0);
    synthetic.put8(ring + synthetic.member("prb_desc_ring.head_id"), 1 << 25);
    assertThat(synthetic.open().log(notes::add)).isEmpty();
    assertThat(notes).anyMatch(n -> n.equals("log: 65536 entries cannot be read"));
    notes.clear();
    synthetic.put4(ring, 27);
    assertThat(synthetic.open().log(notes::add)).isEmpty();
    assertThat(notes).singleElement().asString().contains("size is 2^27");
  }

  @Test
  void aListThatComesBackEndsWithANote() {
    var synthetic = kernel(SyntheticKernel.Era.NEW);
    int link = synthetic.member("task_struct.tasks");
    synthetic.put8(synthetic.tasks.get(2) + link, synthetic.tasks.get(1) + link);
    assertThat(ps(synthetic.open())).hasSize(6).contains("30 30 1 Z gone");
    assertThat(notes).anyMatch(n -> n.contains("comes back"));
  }

  @ParameterizedTest
  @EnumSource
  void withoutTypesThereAreStillSymbolsMemoryAndTheLog(SyntheticKernel.Era era) {
    var synthetic = kernel(era);
    synthetic.put(synthetic.symbols.get("__start_BTF"), new byte[24]);
    synthetic.vmcoreinfo = synthetic.vmcoreinfoWithLog();
    var kernel = synthetic.open();
    assertThat(kernel.warnings()).anyMatch(w -> w.startsWith("no types"));
    assertThat(kernel.program().symbols().first("do_things")).isPresent();
    assertThat(kernel.cpus()).hasSize(2);
    assertThat(kernel.initialTask()).isEmpty();
    assertThat(kernel.images()).hasSize(1);
    assertThat(text(kernel.facts(), "release")).isEqualTo("6.4.0-test");
    assertThat(kernel.log(notes::add)).hasSize(4);
    assertThat(notes).isEmpty();
    assertThatThrownBy(() -> kernel.tasks(notes::add))
        .isInstanceOf(LookupException.class)
        .hasMessageContaining("task_struct");
  }

  @Test
  void cpusAreToldApartByTheBaseOfTheirVariables() {
    var synthetic = kernel(SyntheticKernel.Era.NEW);
    long base = synthetic.open().perCpu(0, 1).orElseThrow();
    var none = Registers.none(X86_64.INSTANCE.registers());
    var kernelMode = new Cpu(0, none.with(X86_64.RIP, 1).with(X86_64.GS_BASE, base), "test");
    var userMode =
        new Cpu(1, none.with(X86_64.RIP, 2).with(X86_64.KERNEL_GS_BASE, base - 0x1_0000), "test");
    var kernel =
        SyntheticKernel.open(synthetic.target(true, kernelMode, userMode), true).orElseThrow();
    assertThat(kernel.cpus().get(0).registers().orElseThrow().pc()).hasValue(2);
    assertThat(kernel.cpus().get(1).registers().orElseThrow().pc()).hasValue(1);
  }

  @Test
  void walkerNeedsAStart() {
    var kernel = kernel(SyntheticKernel.Era.NEW).open();
    var list =
        kernel.walkers().stream().filter(w -> w.name().equals("list")).findFirst().orElseThrow();
    assertThat(list.start()).isEqualTo(Walker.Start.REQUIRED);
    assertThatThrownBy(() -> list.walk(kernel.program(), Optional.empty(), notes::add))
        .isInstanceOf(UsageException.class);
  }
}
