// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.FaultException;
import dev.fathom.kernel.LogEntry;
import dev.fathom.kernel.Task;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What the kernel left of its crash: {@code panic_cpu} and the last report in its log. A report
 * begins with what happened ({@code BUG: ...}, {@code Oops: ...}) and, when it was fatal, ends with
 * {@code Kernel panic - not syncing: ...}; the line {@code RIP: 0010:function+0x1/0x2} names the
 * place.
 */
final class CrashFacts {
  private static final String PANIC = "Kernel panic - not syncing: ";

  /** What a report may take from its first line to the panic. */
  private static final long REPORT_NANOS = 5_000_000_000L;

  /**
   * How the first line of a report begins (arch/x86/kernel/traps.c, mm/fault.c, lib/bug.c, ...).
   */
  private static final List<String> CAUSES =
      List.of(
          "BUG: ",
          "kernel BUG at ",
          "general protection fault",
          "Oops: ",
          "Unable to handle ",
          "divide error: ",
          "invalid opcode: ",
          "int3: ",
          "stack segment: ",
          "traps: PANIC: ",
          "PANIC: ",
          "sysrq: Trigger a crash",
          "watchdog: BUG: ",
          "NMI watchdog: Watchdog detected",
          "Watchdog detected hard LOCKUP",
          "Out of memory: ",
          "INFO: task ",
          "mce: [Hardware Error]");

  private final LinuxProgram program;
  private final Optional<String> panic;
  private final Optional<String> cause;
  private final Optional<String> place;

  private CrashFacts(
      LinuxProgram program,
      Optional<String> panic,
      Optional<String> cause,
      Optional<String> place) {
    this.program = program;
    this.panic = panic;
    this.cause = cause;
    this.place = place;
  }

  /** A line of a report and its time since boot in nanoseconds. */
  private record Line(long nanos, String text) {}

  /** Reads the log for the last report in it. */
  static CrashFacts of(LinuxProgram program, Iterator<LogEntry> log) {
    var placeLine = program.machine().placeLine();
    Line panic = null;
    var causes = new ArrayList<Line>();
    var places = new ArrayList<Line>();
    while (log.hasNext()) {
      var entry = log.next();
      for (var text : entry.text().split("\n", -1)) {
        if (text.startsWith(PANIC)) {
          panic = new Line(entry.nanos(), text.substring(PANIC.length()));
        } else if (isCause(text)) {
          causes.add(new Line(entry.nanos(), text));
        } else if (text.startsWith(placeLine)) {
          places.add(new Line(entry.nanos(), text.substring(placeLine.length())));
        }
      }
    }
    long end = panic != null ? panic.nanos() : causes.isEmpty() ? 0 : causes.getLast().nanos();
    var cause = firstSince(causes, end - REPORT_NANOS);
    // A report of something else than a fault has the place that was interrupted.
    var place =
        cause.isEmpty() || cause.get().text().startsWith("sysrq: ")
            ? Optional.<Line>empty()
            : firstSince(places, cause.get().nanos());
    return new CrashFacts(
        program,
        Optional.ofNullable(panic).map(Line::text),
        cause.map(Line::text),
        place.map(Line::text));
  }

  private static Optional<Line> firstSince(List<Line> lines, long nanos) {
    for (var line : lines) {
      if (line.nanos() >= nanos) {
        return Optional.of(line);
      }
    }
    return Optional.empty();
  }

  private static boolean isCause(String text) {
    for (var start : CAUSES) {
      if (text.startsWith(start)) {
        return true;
      }
    }
    return false;
  }

  /** The number in {@code panic_cpu}, which is -1 until a CPU panics. */
  OptionalInt panicCpu() {
    for (var name : new String[] {"panic_cpu", "crashing_cpu"}) {
      var variable = program.address(name);
      if (variable.isPresent()) {
        try {
          int cpu = program.memory().i32(variable.getAsLong());
          if (cpu >= 0) {
            return OptionalInt.of(cpu);
          }
        } catch (FaultException _) {
          continue; // Not in the dump; the other variable may be.
        }
      }
    }
    return OptionalInt.empty();
  }

  boolean crashed() {
    return panicCpu().isPresent() || panic.isPresent();
  }

  /** The panic's message, or else what the oops before it said. */
  Optional<String> message() {
    if (!crashed()) {
      return Optional.empty();
    }
    return panic.or(() -> cause);
  }

  /** What led to the panic, when the log tells. */
  Optional<String> cause() {
    return crashed() ? cause : Optional.empty();
  }

  /** The facts, in order; empty when the kernel did not crash. */
  List<Datum.Field> list(Optional<Task> task) {
    if (!crashed()) {
      return List.of();
    }
    var facts = new ArrayList<Datum.Field>();
    var cpu = panicCpu();
    facts.add(
        new Datum.Field(
            "cpu",
            "cpu",
            cpu.isPresent() ? Cell.decimal(cpu.getAsInt()) : new Cell.Absent("not recorded")));
    if (task.isPresent()) {
      facts.add(new Datum.Field("thread", "thread", Cell.address(task.get().object().address())));
      facts.add(new Datum.Field("tid", "tid", Cell.decimal(task.get().id(), "not readable")));
      facts.add(new Datum.Field("name", "name", Cell.text(task.get().name())));
    }
    facts.add(
        new Datum.Field(
            "message",
            "message",
            message().map(Cell::text).orElseGet(() -> new Cell.Absent("not in the log"))));
    cause().ifPresent(text -> facts.add(new Datum.Field("cause", "cause", Cell.text(text))));
    place.ifPresent(text -> facts.add(new Datum.Field("pc", "pc", pc(text))));
    return facts;
  }

  /** {@code function+0x1/0x2 [module]} as an address, where the function is known. */
  private Cell pc(String text) {
    int plus = text.indexOf("+0x");
    int slash = text.indexOf('/', Math.max(plus, 0));
    if (plus > 0 && slash > plus + 3 && slash - plus < 20) {
      var module = text.indexOf(" [", slash);
      int close = text.indexOf(']', Math.max(module, 0));
      var name = text.substring(0, plus);
      var qualified =
          module > 0 && close > module ? text.substring(module + 2, close) + "`" + name : name;
      var symbol = program.symbols().first(qualified);
      if (symbol.isPresent()) {
        try {
          long offset = Long.parseUnsignedLong(text.substring(plus + 3, slash), 16);
          return new Cell.Symbolic(
              symbol.get().address() + offset,
              symbol.get().qualified() + "+0x" + Long.toHexString(offset));
        } catch (NumberFormatException _) {
          return Cell.text(text); // Not the form that the kernel prints: shown as it is.
        }
      }
    }
    return Cell.text(text);
  }
}
