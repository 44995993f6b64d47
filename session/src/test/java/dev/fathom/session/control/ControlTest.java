// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.EvalException;
import dev.fathom.base.TargetException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.session.Session;
import dev.fathom.target.Breakpoints.Kind;
import dev.fathom.target.Stop;
import dev.fathom.testkit.tiny.TinyLinux;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The engine over a machine that follows a script. */
class ControlTest {
  @TempDir private Path folder;
  private TinyLinux tiny;
  private ScriptedMachine machine;
  private Session session;
  private Control control;
  private long schedule;
  private long panic;

  @BeforeEach
  void open() throws IOException {
    tiny = new TinyLinux();
    var file = Files.write(folder.resolve("vmcore"), tiny.vmcore());
    var dump =
        Session.open(List.of(file), new KernelOptions(Optional.empty(), true, Progress.NONE));
    machine = new ScriptedMachine(dump.target());
    session = Session.of(machine, dump.kernel());
    control = session.control();
    schedule = tiny.address("schedule");
    panic = tiny.address("panic");
  }

  @AfterEach
  void close() {
    session.close();
  }

  private Breakpoint code(long address) {
    return control.add(new Breakpoint.At(address, "here"), Kind.SOFTWARE, 1, Optional.empty());
  }

  private static Condition condition(Predicate<Hit> holds) {
    return new Condition() {
      @Override
      public String text() {
        return "condition";
      }

      @Override
      public boolean holds(Hit hit) {
        return holds.test(hit);
      }
    };
  }

  private static List<Integer> hit(StopEvent event) {
    assertThat(event.cause()).isInstanceOf(StopEvent.AtBreakpoint.class);
    return ((StopEvent.AtBreakpoint) event.cause())
        .breakpoints().stream().map(Breakpoint::id).toList();
  }

  @Test
  void stopsWhereABreakpointIsAndTakesItOut() {
    var breakpoint = code(schedule);
    machine.comes(0, panic).comes(1, schedule);
    var event = control.proceed();
    assertThat(hit(event)).containsExactly(1);
    assertThat(event.cpu()).hasValue(1);
    assertThat(event.pc()).hasValue(schedule);
    assertThat(event.thread()).isPresent();
    assertThat(breakpoint.hits()).isEqualTo(1);
    assertThat(machine.inserted()).isEmpty();
    assertThat(machine.log()).containsExactly("resume");
  }

  @Test
  void goesOnPastItWithoutAStepWhereTheInstructionIsKnown() {
    code(schedule);
    machine.comes(0, schedule).comes(0, schedule);
    control.proceed();
    assertThat(hit(control.proceed())).containsExactly(1);
    // The function begins with endbr64, four bytes.
    assertThat(machine.log())
        .containsExactly("resume", "rip=" + Long.toHexString(schedule + 4), "resume");
  }

  @Test
  void aHitThatGoesByAsksForNothingThatCameWithTheStop() {
    code(schedule).ignore(2);
    machine.tells();
    machine.comes(0, schedule).comes(0, schedule).comes(0, schedule);
    assertThat(hit(control.proceed())).containsExactly(1);
    String past = "rip=" + Long.toHexString(schedule + 4);
    assertThat(machine.log())
        .startsWith("resume", past, "resume", past, "resume", "registers 0")
        .filteredOn("resume"::equals)
        .hasSize(3);
  }

  @Test
  void whatDidNotComeWithTheStopIsAskedForWhereAConditionNeedsIt() {
    long rax = machine.registers(0).get(X86_64.RAX).orElseThrow();
    code(schedule)
        .condition(
            Optional.of(condition(hit -> hit.registers().get(X86_64.RAX).orElseThrow() == rax)));
    machine.tells();
    machine.comes(0, schedule);
    assertThat(hit(control.proceed())).containsExactly(1);
  }

  @Test
  void aStoreThatTheTargetRefusesIsLeftToTheCpu() {
    long push = schedule + 4;
    var breakpoint = code(push);
    stand();
    machine.virtualOnly();
    machine.faults();
    machine.comes(0, push).comes(0, push);
    machine.stepTo(push + 1);
    control.proceed();
    assertThat(hit(control.proceed())).containsExactly(1);
    assertThat(breakpoint.hits()).isEqualTo(2);
    assertThat(machine.log()).containsExactly("resume", "step 0", "resume");
  }

  @Test
  void stepsOffAnInstructionThatItCannotCarryOut() {
    long call = schedule + 4; // push %rbp needs memory to be written, which this machine cannot
    code(call);
    machine.comes(0, call).comes(0, call);
    machine.stepTo(call + 1);
    control.proceed();
    assertThat(hit(control.proceed())).containsExactly(1);
    // With the breakpoint out: else the step would be "in place".
    assertThat(machine.log()).containsExactly("resume", "step 0", "resume");
  }

  /**
   * QEMU tells of an earlier stop again in place of a step, when two CPUs stop at the same time.
   */
  @Test
  void aStepThatDidNotHappenIsNoSecondHit() {
    var breakpoint = code(schedule + 4);
    machine.comes(0, schedule + 4);
    machine.stepTo(schedule + 5);
    machine.stepsInPlace(1);
    assertThat(hit(control.proceed())).containsExactly(1);
    machine.atEnd(session::interrupt);
    assertThat(control.proceed().cause()).isInstanceOf(StopEvent.Interrupted.class);
    assertThat(breakpoint.hits()).isEqualTo(1);
    assertThat(machine.log()).containsExactly("resume", "step 0", "step 0", "resume");
    assertThat(machine.registers(0).pc()).hasValue(schedule + 5);
  }

  @Test
  void aCpuThatNeverLeavesABreakpointIsToldOfAgain() {
    var breakpoint = code(schedule + 4);
    machine.comes(0, schedule + 4);
    machine.stepTo(schedule + 5);
    machine.stepsInPlace(Integer.MAX_VALUE);
    control.proceed();
    assertThat(hit(control.proceed())).containsExactly(1);
    assertThat(breakpoint.hits()).isEqualTo(2);
  }

  /** The same, told of another CPU than the one that is stepped. */
  @Test
  void aStopThatIsToldTwiceIsOneHit() {
    var first = code(panic + 4);
    var second = code(schedule + 4);
    machine.comes(1, panic + 4);
    control.proceed();
    machine.put(0, schedule + 4);
    machine.stepTo(panic + 5);
    var told = new Stop(0, new Stop.Trap());
    machine.stopsInsteadOfSteps(List.of(told, told));
    assertThat(control.proceed().cpu()).hasValue(0);
    machine.atEnd(session::interrupt);
    assertThat(control.proceed().cause()).isInstanceOf(StopEvent.Interrupted.class);
    assertThat(first.hits()).isEqualTo(1);
    assertThat(second.hits()).isEqualTo(1);
  }

  @Test
  void eachCpuIsToldOnceOfTheBreakpointAtWhichItStands() {
    var first = code(schedule);
    var second = code(panic);
    machine.comes(0, schedule);
    assertThat(hit(control.proceed())).containsExactly(1);
    // Another CPU is stepped onto a breakpoint while the first still stands at its own.
    machine.put(1, panic - 1);
    machine.stepTo(panic);
    assertThat(hit(control.stepCpu(1))).containsExactly(2);
    machine.atEnd(session::interrupt);
    assertThat(control.proceed().cause()).isInstanceOf(StopEvent.Interrupted.class);
    assertThat(first.hits()).isEqualTo(1);
    assertThat(second.hits()).isEqualTo(1);
    assertThat(machine.registers(0).pc()).hasValue(schedule + 4);
    assertThat(machine.registers(1).pc()).hasValue(panic + 4);
  }

  @Test
  void aCpuThatCameToABreakpointUnnoticedIsToldOfNext() {
    var breakpoint = code(schedule);
    machine.comes(0, schedule);
    control.proceed();
    machine.put(1, schedule); // Stopped there in the same moment.
    assertThat(control.proceed().cpu()).hasValue(1);
    assertThat(breakpoint.hits()).isEqualTo(2);
    machine.atEnd(session::interrupt);
    assertThat(control.proceed().cause()).isInstanceOf(StopEvent.Interrupted.class);
    assertThat(breakpoint.hits()).isEqualTo(2);
  }

  @Test
  void aStepThatDoesNotEndCanBeStopped() {
    machine.stepsHang();
    machine.atEnd(session::interrupt);
    machine.put(0, schedule + 0x10);
    var event = control.stepCpu(0);
    assertThat(event.cause()).isInstanceOf(StopEvent.Interrupted.class);
    assertThat(event.cpu()).hasValue(0);
    assertThat(control.running()).isFalse();
  }

  @Test
  void aStepOffABreakpointThatDoesNotEndCanBeStopped() {
    var push = code(schedule + 4);
    machine.comes(0, schedule + 4);
    control.proceed();
    machine.stepsHang();
    machine.atEnd(session::interrupt);
    assertThat(control.proceed().cause()).isInstanceOf(StopEvent.Interrupted.class);
    assertThat(control.running()).isFalse();
    assertThat(machine.inserted()).isEmpty();
    assertThat(machine.log()).containsExactly("resume", "step 0");
    assertThat(push.hits()).isEqualTo(1);
  }

  @Test
  void whereNoRegisterCanBeWrittenItSteps() {
    machine.keepsRegisters();
    code(schedule);
    machine.comes(0, schedule).comes(0, schedule);
    machine.stepTo(schedule + 4);
    control.proceed();
    assertThat(hit(control.proceed())).containsExactly(1);
    assertThat(machine.log()).containsExactly("resume", "step 0", "resume");
  }

  @Test
  void afterEachStopTranslationsAreForgotten() {
    var forgotten = new AtomicInteger();
    var kernel = session.kernel();
    var counting =
        (Kernel)
            Proxy.newProxyInstance(
                Kernel.class.getClassLoader(),
                new Class<?>[] {Kernel.class},
                (_, method, arguments) -> {
                  if (method.getName().equals("ran")) {
                    forgotten.incrementAndGet();
                  }
                  return method.invoke(kernel, arguments);
                });
    control = Session.of(machine, counting).control();
    var breakpoint = code(schedule);
    breakpoint.condition(Optional.of(condition(_ -> forgotten.get() == 3)));
    machine.comes(0, schedule).comes(0, schedule).comes(0, schedule);
    assertThat(hit(control.proceed())).containsExactly(1);
    assertThat(forgotten.get()).isEqualTo(3);
  }

  @Test
  void aBreakpointBehindTheStepCounts() {
    code(schedule + 4);
    var second = code(schedule + 5);
    machine.comes(0, schedule + 4);
    machine.stepTo(schedule + 5);
    control.proceed();
    assertThat(hit(control.proceed())).containsExactly(2);
    assertThat(second.hits()).isEqualTo(1);
  }

  @Test
  void hitsWhoseConditionIsFalseGoByUncounted() {
    var breakpoint = code(schedule);
    breakpoint.condition(Optional.of(condition(hit -> hit.cpu().id() == 1)));
    machine.comes(0, schedule).comes(0, schedule).comes(1, schedule);
    assertThat(control.proceed().cpu()).hasValue(1);
    assertThat(breakpoint.hits()).isEqualTo(1);
    assertThat(machine.log()).filteredOn(line -> line.equals("resume")).hasSize(3);
  }

  @Test
  void aConditionThatCannotBeToldStops() {
    code(schedule)
        .condition(
            Optional.of(
                condition(
                    hit -> {
                      throw new EvalException("no such thing as " + hit.pc());
                    })));
    machine.comes(0, schedule);
    var event = control.proceed();
    assertThat(event.cause()).isInstanceOf(StopEvent.BadCondition.class);
    assertThat(((StopEvent.BadCondition) event.cause()).why()).startsWith("no such thing");
  }

  @Test
  void ignoreCountsTemporaryAndDisabledOnes() {
    var ignoring = code(schedule);
    ignoring.ignore(2);
    machine.comes(0, schedule).comes(0, schedule).comes(0, schedule);
    assertThat(hit(control.proceed())).containsExactly(1);
    assertThat(ignoring.hits()).isEqualTo(3);
    control.delete(ignoring);
    var once = code(panic);
    once.temporary(true);
    var then = code(panic);
    then.disableOnHit(true);
    machine.comes(1, panic);
    assertThat(hit(control.proceed())).containsExactly(2, 3);
    assertThat(control.breakpoints()).containsExactly(then);
    assertThat(then.enabled()).isFalse();
    assertThat(control.armed()).isFalse();
  }

  @Test
  void onlyTheThreadOrCpuAskedFor() {
    var cpus = machine.cpus();
    var second = session.kernel().running(cpus.get(1)).orElseThrow();
    code(schedule).thread(OptionalLong.of(second.object().address()));
    machine.comes(0, schedule).comes(1, schedule);
    assertThat(control.proceed().thread().orElseThrow().object().address())
        .isEqualTo(second.object().address());
  }

  @Test
  void aStepOverACallWaitsForItsOwnThreadAndStack() {
    long call = schedule + 0x4b; // call to the next function; it returns to +0x50
    machine.put(0, call);
    long sp = machine.cpus().getFirst().registers().sp().orElseThrow();
    machine
        .comes(1, schedule + 0x50)
        .comes(0, schedule + 0x50, sp - 64) // a deeper call of the same function
        .comes(0, schedule + 0x50, sp);
    machine.stepTo(schedule + 0x51);
    var event = new Steps(session).over(0);
    assertThat(event.cause()).isInstanceOf(StopEvent.Stepped.class);
    assertThat(event.cpu()).hasValue(0);
    assertThat(machine.cpus().getFirst().registers().sp()).hasValue(sp);
    assertThat(machine.log()).filteredOn(line -> line.equals("resume")).hasSize(3);
    assertThat(machine.inserted()).isEmpty();
  }

  @Test
  void aStepThatAnInterruptGotIntoEndsBehindItsInstruction() {
    long at = schedule + 0x10;
    machine.put(0, at);
    machine.stepTo(panic); // the handler
    machine.comes(0, at + 1);
    var event = new Steps(session).instruction(0);
    assertThat(event.cause()).isInstanceOf(StopEvent.Stepped.class);
    assertThat(event.pc()).hasValue(at + 1);
    assertThat(machine.log()).containsExactly("step 0", "resume");
  }

  @Test
  void aStepThatEndsOnABreakpointHitsIt() {
    long at = schedule + 0x10;
    code(at + 1);
    machine.put(0, at);
    machine.stepTo(at + 1);
    assertThat(hit(new Steps(session).instruction(0))).containsExactly(1);
  }

  @Test
  void theUserCanStopIt() {
    code(schedule);
    machine.atEnd(session::interrupt);
    var event = control.proceed();
    assertThat(event.cause()).isInstanceOf(StopEvent.Interrupted.class);
    assertThat(machine.inserted()).isEmpty();
    assertThat(control.running()).isFalse();
  }

  @Test
  void tellsWhatElseStoppedIt() {
    code(schedule);
    machine.stops(new Stop(0, new Stop.Signal(2)), panic);
    assertThat(control.proceed().cause()).isEqualTo(new StopEvent.Signalled(2));
    machine.stops(new Stop(1, new Stop.Watch(Kind.WRITE, panic)), panic);
    assertThat(control.proceed().cause()).isEqualTo(new StopEvent.Trapped());
    machine.stops(new Stop(0, new Stop.Ended(9)), 0);
    assertThat(control.proceed().cause()).isEqualTo(new StopEvent.Gone(9));
  }

  /**
   * Once for each CPU: QEMU does not say why the second one stopped, when the watchpoint is gone.
   */
  @Test
  void aTrapThatADeletedWatchpointLeftBehindIsPassedOver() {
    long data = tiny.address("__cpu_online_mask");
    var watch = control.add(new Breakpoint.At(data, "mask"), Kind.WRITE, 8, Optional.empty());
    machine.stops(new Stop(1, new Stop.Watch(Kind.WRITE, data)), panic);
    assertThat(control.proceed().cause()).isInstanceOf(StopEvent.AtData.class);
    control.delete(watch);
    machine.stops(new Stop(0, new Stop.Trap()), panic);
    machine.stops(new Stop(0, new Stop.Trap()), schedule);
    var event = control.proceed();
    assertThat(event.cause()).isEqualTo(new StopEvent.Trapped());
    assertThat(event.pc()).hasValue(schedule);
  }

  @Test
  void watchpointsTellBeforeAndAfter() {
    long data = tiny.address("__cpu_online_mask");
    var watch = control.add(new Breakpoint.At(data, "mask"), Kind.WRITE, 8, Optional.empty());
    machine.stops(new Stop(1, new Stop.Watch(Kind.WRITE, data + 4)), panic);
    var event = control.proceed();
    assertThat(event.cause())
        .isInstanceOfSatisfying(
            StopEvent.AtData.class,
            at -> {
              assertThat(at.breakpoint()).isSameAs(watch);
              assertThat(at.address()).isEqualTo(data + 4);
              assertThat(at.before().orElseThrow()).containsExactly(3, 0, 0, 0, 0, 0, 0, 0);
            });
  }

  @Test
  void aNameThatNothingAnswersToWaits() {
    var waiting =
        control.add(
            new Breakpoint.Named("nowhere`nothing", 0, "nothing"),
            Kind.SOFTWARE,
            1,
            Optional.empty());
    assertThat(waiting.address()).isEmpty();
    var found =
        control.add(
            new Breakpoint.Named("schedule", 4, "schedule+4"), Kind.SOFTWARE, 1, Optional.empty());
    assertThat(found.address()).hasValue(schedule + 4);
  }

  @Test
  void whatTheTargetLacksIsSaidAndNothingStaysInIt() {
    code(schedule);
    control.add(new Breakpoint.At(panic, "panic"), Kind.HARDWARE, 1, Optional.empty());
    assertThatThrownBy(control::proceed)
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("breakpoint 2")
        .hasMessageContaining("hardware");
    assertThat(machine.inserted()).isEmpty();
  }

  /** Makes CPU 0 stand in kernel code on a stack that can be read. */
  private long stand() {
    long stack = (tiny.address("init_task") + 0x1000) & -0x1000;
    var all = machine.registers(0);
    for (var register : all.file().registers()) {
      if (all.get(register).isEmpty()) {
        all = all.with(register, register.index());
      }
    }
    machine.set(0, all.with(X86_64.CS, 0x10).with(X86_64.RSP, stack).with(X86_64.RIP, schedule));
    onCpu(0, 0);
    machine.writable();
    return stack;
  }

  /** Makes CPU {@code id} the one that the kernel gave the number {@code number}. */
  private void onCpu(int id, int number) {
    long base = session.kernel().perCpu(0, number).orElseThrow();
    machine.set(id, machine.registers(id).with(X86_64.GS_BASE, base));
  }

  private static long pushed(long stack) {
    return ((stack - 256) & -16L) - 8;
  }

  private Registers moved(Registers to, Registers from) {
    for (var register : from.file().registers()) {
      var value = from.get(register);
      to = value.isPresent() ? to.with(register, value.getAsLong()) : to.without(register);
    }
    return to;
  }

  @Test
  void aCallReturnsWhereABreakpointIs() {
    long stack = stand();
    var before = machine.registers(0);
    var here = code(schedule);
    machine.comes(0, schedule, pushed(stack) + 8);
    machine.atEnd(session::interrupt);
    assertThat(new Calls(session).call(0, panic, List.of(new Calls.Word(1)), Duration.ofSeconds(5)))
        .isZero();
    assertThat(here.hits()).isZero();
    for (var register : List.of(X86_64.RIP, X86_64.RSP, X86_64.RDI, X86_64.RBX, X86_64.RAX)) {
      assertThat(machine.registers(0).get(register)).isEqualTo(before.get(register));
    }
    assertThat(machine.inserted()).isEmpty();
  }

  @Test
  void aCallThatABreakpointStopsSaysSo() {
    long stack = stand();
    code(panic + 4);
    machine.comes(0, panic + 4, pushed(stack) - 64);
    assertThatThrownBy(() -> new Calls(session).call(0, panic, List.of(), Duration.ofSeconds(5)))
        .isInstanceOf(EvalException.class)
        .hasMessageContaining("breakpoint 1 stopped")
        .hasMessageContaining("put back");
    assertThat(machine.registers(0).pc()).hasValue(schedule);
    assertThat(machine.registers(0).sp()).hasValue(stack);
  }

  @Test
  void aCallThatSleepsLeavesOtherThreadsAloneAndIsCaughtWhenItReturns() {
    long stack = stand();
    var caller = machine.registers(0);
    var other = moved(caller, machine.registers(1));
    machine.atEnd(
        () -> {
          machine.set(0, other.with(X86_64.RSP, stack + 0x100000));
          onCpu(0, 1);
          session.interrupt();
        });
    assertThatThrownBy(() -> new Calls(session).call(0, panic, List.of(), Duration.ofSeconds(5)))
        .isInstanceOf(EvalException.class)
        .hasMessageContaining("on no CPU");
    var log = machine.log();
    assertThat(log.subList(log.indexOf("resume"), log.size())).containsExactly("resume");
    assertThat(control.armed()).isTrue();
    // It comes back on the other CPU.
    machine.atEnd(session::interrupt);
    machine.set(1, caller.with(X86_64.RBX, 77));
    machine.comes(1, schedule, pushed(stack) + 8);
    assertThat(control.proceed().cause()).isInstanceOf(StopEvent.Interrupted.class);
    assertThat(machine.registers(1).get(X86_64.RBX)).isEqualTo(caller.get(X86_64.RBX));
    assertThat(machine.registers(1).sp()).hasValue(stack);
    assertThat(control.armed()).isFalse();
    assertThat(machine.inserted()).isEmpty();
  }

  @Test
  void aStepThatFailsLeavesNoBreakpointBehind() {
    code(schedule + 4); // push, which cannot be carried out without memory to write
    code(panic);
    machine.comes(0, schedule + 4);
    control.proceed();
    machine.stepFails(new TargetException("CPU 0 is stuck"));
    assertThatThrownBy(control::proceed).hasMessage("CPU 0 is stuck").hasNoSuppressedExceptions();
    assertThat(machine.inserted()).isEmpty();
    machine.comes(1, panic);
    assertThat(hit(control.proceed())).containsExactly(2);
  }

  @Test
  void aStoreThatCrossesAPageOrIsWatchedIsLeftToTheCpu() {
    long stack = stand();
    code(schedule + 4);
    machine.stepTo(schedule + 5);
    machine.comes(0, schedule + 4).comes(0, schedule + 4, stack + 4).comes(0, schedule + 4, stack);
    control.proceed();
    control.proceed();
    assertThat(machine.log()).filteredOn(line -> line.startsWith("write")).hasSize(1);
    assertThat(machine.log()).doesNotContain("step 0");
    control.proceed(); // off a push at the beginning of a page, all but four bytes
    assertThat(machine.log()).filteredOn(line -> line.startsWith("write")).hasSize(1);
    assertThat(machine.log()).filteredOn(line -> line.equals("step 0")).hasSize(1);
    control.add(new Breakpoint.At(panic, "data"), Kind.WRITE, 8, Optional.empty());
    machine.comes(0, schedule + 4);
    control.proceed();
    assertThat(machine.log()).filteredOn(line -> line.startsWith("write")).hasSize(1);
    assertThat(machine.log()).filteredOn(line -> line.equals("step 0")).hasSize(2);
  }

  @Test
  void aStoreGoesByVirtualAddressWhereThereIsNoOther() {
    long stack = stand();
    machine.virtualOnly();
    code(schedule + 4);
    machine.comes(0, schedule + 4).comes(0, schedule + 4, stack);
    control.proceed();
    control.proceed();
    assertThat(machine.log())
        .filteredOn(line -> line.startsWith("write"))
        .containsExactly("write VIRTUAL " + Long.toHexString(stack - 8));
    assertThat(machine.log()).doesNotContain("step 0");
  }

  @Test
  void aDumpCannotBeControlled() throws IOException {
    var file = Files.write(folder.resolve("second"), new TinyLinux().vmcore());
    try (var dump =
        Session.open(List.of(file), new KernelOptions(Optional.empty(), true, Progress.NONE))) {
      assertThatThrownBy(dump::control)
          .isInstanceOf(UnsupportedException.class)
          .hasMessage("operation not supported by target");
    }
  }
}
