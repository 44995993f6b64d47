// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.FathomException;
import dev.fathom.base.LookupException;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.model.AddressSpace;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/** What {@code uname}, {@code uptime} and the like would say in the kernel. */
final class SystemFacts {
  private static final int COMMAND_LINE_LIMIT = 4096;

  /** 1 January 2200 as {@code time_t}: a clock beyond is no clock. */
  private static final long LATEST = 7_258_118_400L;

  /**
   * {@code FIXED_1}: load averages have 11 bits behind the point (include/linux/sched/loadavg.h).
   */
  private static final double LOAD_UNIT = 2048;

  private final KernelPlace place;
  private final LinuxProgram program;
  private final AddressSpace memory;
  private final Layouts layouts;
  private final Cpus cpus;

  SystemFacts(KernelPlace place, LinuxProgram program, Layouts layouts, Cpus cpus) {
    this.place = place;
    this.program = program;
    this.memory = program.memory();
    this.layouts = layouts;
    this.cpus = cpus;
  }

  /** A member of {@code struct new_utsname} (include/uapi/linux/utsname.h): 65 bytes each. */
  String uts(Uts member) {
    long name =
        program.needAddress("init_uts_ns")
            + layouts
                .find("uts_namespace", "name")
                .map(f -> (long) f.offset())
                .orElseGet(this::utsOffset);
    return memory.cString(name + 65L * member.ordinal(), 65);
  }

  /** Without types: VMCOREINFO has it; 4 bytes of kref came first until 5.9, none since. */
  private long utsOffset() {
    return place.vmcoreinfo().map(v -> v.offset("uts_namespace.name").orElse(0)).orElse(0L);
  }

  /** The members of {@code struct new_utsname}, in order. */
  enum Uts {
    SYSNAME,
    NODENAME,
    RELEASE,
    VERSION,
    MACHINE
  }

  List<Datum.Field> list(Supplier<Optional<String>> panic) {
    var facts = new ArrayList<Datum.Field>();
    add(facts, "release", "release", () -> Cell.text(uts(Uts.RELEASE)));
    add(facts, "version", "version", () -> Cell.text(uts(Uts.VERSION)));
    add(facts, "machine", "machine", () -> Cell.text(uts(Uts.MACHINE)));
    add(facts, "node", "node name", () -> Cell.text(uts(Uts.NODENAME)));
    add(facts, "cpus", "CPUs", () -> Cell.decimal(cpus.perCpu().possible().length));
    add(facts, "online", "CPUs online", () -> Cell.decimal(cpus.perCpu().online().length));
    add(facts, "memory", "memory", () -> Cell.text(ramPages() / 256 + " MiB"));
    var clock = new Clock();
    add(facts, "date", "date", () -> Cell.text(clock.date()));
    add(facts, "uptime", "uptime", () -> Cell.text(duration(clock.uptime())));
    add(facts, "load_average", "load average", () -> Cell.text(load()));
    add(facts, "command_line", "command line", () -> Cell.text(commandLine()));
    add(facts, "taint", "taint", () -> Cell.text(taint()));
    add(
        facts,
        "panic",
        "panic",
        () ->
            panic
                .get()
                .map(Cell::text)
                .orElseGet(() -> new Cell.Absent("the kernel did not panic")));
    add(facts, "found_by", "found by", () -> Cell.text(place.how()));
    facts.addAll(program.machine().facts(place, program));
    return facts;
  }

  private static void add(List<Datum.Field> facts, String key, String label, Supplier<Cell> value) {
    Cell cell;
    try {
      cell = value.get();
    } catch (FathomException e) {
      cell = Cell.unreadable(e.getMessage());
    }
    facts.add(new Datum.Field(key, label, cell));
  }

  /** {@code _totalram_pages} since 5.0, {@code totalram_pages} before. */
  private long ramPages() {
    var now = program.address("_totalram_pages");
    return memory.u64(now.isPresent() ? now.getAsLong() : program.needAddress("totalram_pages"));
  }

  private String load() {
    long average = program.needAddress("avenrun");
    var text = new StringBuilder();
    for (int i = 0; i < 3; i++) {
      text.append(i == 0 ? "" : ", ")
          .append(String.format(Locale.ROOT, "%.2f", memory.u64(average + 8L * i) / LOAD_UNIT));
    }
    return text.toString();
  }

  private String commandLine() {
    return memory
        .cString(memory.u64(program.needAddress("saved_command_line")), COMMAND_LINE_LIMIT)
        .strip();
  }

  private String taint() {
    var letters = Taint.letters(memory.u64(program.needAddress("tainted_mask")));
    return letters.isEmpty() ? "none" : letters;
  }

  private static String duration(long seconds) {
    long days = seconds / 86400;
    return (days == 0 ? "" : days + " days, ")
        + String.format(
            Locale.ROOT, "%02d:%02d:%02d", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
  }

  /**
   * {@code tk_core.timekeeper} (include/linux/timekeeper_internal.h). {@code tk_core} is a {@code
   * struct tk_data} since 6.13 and before an anonymous structure: a sequence counter of 4 bytes,
   * then the timekeeper.
   */
  private final class Clock {
    private long timekeeper() {
      long core = program.needAddress("tk_core");
      return core + layouts.find("tk_data", "timekeeper").map(f -> f.offset()).orElse(8);
    }

    private long seconds() {
      long seconds = layouts.need("timekeeper", "xtime_sec").at(memory, timekeeper());
      if (seconds < 0 || seconds > LATEST) {
        throw new LookupException("clock", "tk_core");
      }
      return seconds;
    }

    String date() {
      return DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss 'UTC'", Locale.ROOT)
          .format(Instant.ofEpochSecond(seconds()).atOffset(ZoneOffset.UTC));
    }

    long uptime() {
      long monotonic =
          seconds()
              + layouts.need("timekeeper", "wall_to_monotonic.tv_sec").at(memory, timekeeper());
      return Math.max(0, monotonic);
    }
  }
}
