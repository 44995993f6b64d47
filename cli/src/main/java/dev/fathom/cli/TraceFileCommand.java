// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.trace.Trace;
import dev.fathom.trace.analysis.Allocations;
import dev.fathom.trace.analysis.Samples;
import dev.fathom.trace.analysis.Summary;
import dev.fathom.trace.report.AllocationReport;
import dev.fathom.trace.report.EventReport;
import dev.fathom.trace.report.LoadReport;
import dev.fathom.trace.report.Output;
import dev.fathom.trace.report.SummaryReport;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code fathom trace-file}. */
@Command(
    name = "trace-file",
    description = "Look at a recorded trace: OSv's, or a recording of Fathom's.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "FILE is what OSv's debugger extension saves (osv trace save), what its REST",
      "server gives (/trace/buffers), or a recording of Fathom's. The commands and",
      "what they print are those of OSv's trace.py.",
      "",
      "  fathom trace-file summary --timed tracefile",
      "  fathom trace-file list -b -t sched_wait tracefile",
      "  fathom trace-file prof-wait -g thread tracefile",
    },
    subcommands = {
      TraceFileCommand.ListEvents.class,
      TraceFileCommand.Summarise.class,
      TraceFileCommand.ListTimed.class,
      TraceFileCommand.Wakeups.class,
      TraceFileCommand.Load.class,
      TraceFileCommand.ProfHit.class,
      TraceFileCommand.ProfTimed.class,
      TraceFileCommand.ProfWait.class,
      TraceFileCommand.ProfLock.class,
      TraceFileCommand.ProfIdle.class,
      TraceOutputs.ProfFlame.class,
      TraceFileCommand.Memory.class,
      TraceOutputs.Tcpdump.class,
      TraceOutputs.PcapDump.class,
      TraceOutputs.Export.class,
      TraceOutputs.ConvertDump.class,
      TraceDownload.class,
    })
final class TraceFileCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(),
        "expected a command: " + String.join(", ", spec.subcommands().keySet()));
  }

  /** {@code list}. */
  @Command(
      name = "list",
      description = "List the events.",
      mixinStandardHelpOptions = true,
      footer = {
        "",
        "  fathom trace-file list -t sched_switch --since 42.7 --period 10ms tracefile",
        "  fathom trace-file list -bl tracefile",
      })
  static final class ListEvents extends TraceCommand {
    @Mixin private TraceListOptions options;

    @Option(
        names = {"-t", "--tracepoint"},
        paramLabel = "PREFIX",
        description = "List only tracepoints whose names begin so.")
    private String prefix;

    @Option(
        names = "--tcpdump",
        description = "Show packets as tcpdump does, and states of TCP by name.")
    private boolean tcpdump;

    @Override
    void show(Trace trace, Output out) throws IOException {
      var asked = Optional.ofNullable(prefix);
      var details =
          tcpdump
              ? TcpDump.details(trace, options.time().slice(), asked)
              : EventReport.Details.NONE;
      options.report(trace, file(), out).list(asked, details);
    }
  }

  /** {@code summary}. */
  @Command(
      name = "summary",
      description = "Count the events of each tracepoint.",
      mixinStandardHelpOptions = true,
      footer = {"", "  fathom trace-file summary --timed tracefile"})
  static final class Summarise extends TraceCommand {
    @Mixin private TraceSliceOptions time;

    @Option(names = "--timed", description = "Show how long things took, too.")
    private boolean timed;

    @Override
    void show(Trace trace, Output out) {
      var summary = Summary.of(trace, time.slice(), timed);
      SummaryReport.show(summary, timed, out);
      warnOfNested(out, summary.nested());
    }
  }

  /** {@code list-timed}. */
  @Command(
      name = "list-timed",
      description = "List what took time, from an event to its _ret or _err.",
      mixinStandardHelpOptions = true,
      footer = {
        "",
        "Without --sort in the order in which things ended. With a part of the time",
        "everything is listed that overlaps with it.",
        "",
        "  fathom trace-file list-timed --sort duration tracefile",
      })
  static final class ListTimed extends TraceCommand {
    /** {@code --sort}; the names are those that users type. */
    enum Sort {
      duration,
      time
    }

    @Mixin private TraceListOptions options;

    @Option(
        names = "--sort",
        paramLabel = "HOW",
        description = "By duration, the longest first, or by time.")
    private Optional<Sort> sort;

    @Override
    void show(Trace trace, Output out) {
      var order =
          sort.map(
                  how ->
                      switch (how) {
                        case duration -> EventReport.Order.DURATION;
                        case time -> EventReport.Order.TIME;
                      })
              .orElse(EventReport.Order.END);
      warnOfNested(out, options.report(trace, file(), out).timed(order));
    }
  }

  /** {@code wakeup-latency}. */
  @Command(
      name = "wakeup-latency",
      description = "List how long threads took to run after they were woken.",
      mixinStandardHelpOptions = true,
      footer = {
        "",
        "Needs sched_wait, sched_wake and sched_wait_ret. Threads that were woken on another",
        "CPU are left out.",
        "",
        "  fathom trace-file wakeup-latency tracefile",
      })
  static final class Wakeups extends TraceCommand {
    @Mixin private TraceListOptions options;

    @Option(names = "--no-header", description = "Leave out the line of titles.")
    private boolean noHeader;

    @Override
    void show(Trace trace, Output out) {
      options.report(trace, file(), out).wakeups(!noHeader);
    }
  }

  /** {@code cpu-load}. */
  @Command(
      name = "cpu-load",
      description = "List how many threads were ready on each CPU.",
      mixinStandardHelpOptions = true,
      footer = {"", "Needs sched_load.", "", "  fathom trace-file cpu-load -c 2 -f csv tracefile"})
  static final class Load extends TraceCommand {
    /** {@code -f}; the names are those that users type. */
    enum Format {
      text,
      csv
    }

    @Mixin private TraceSliceOptions time;

    @Option(
        names = {"-f", "--format"},
        paramLabel = "FORMAT",
        defaultValue = "text",
        description = "text (default) or csv.")
    private Format format;

    @Option(
        names = {"-c", "--cpus"},
        paramLabel = "N",
        description = "How many CPUs there are; begin when the load of each is known.")
    private Integer cpus;

    @Override
    void show(Trace trace, Output out) {
      if (cpus != null && cpus < 1) {
        throw wrong("--cpus " + cpus + ", expected 1 or more");
      }
      var count = cpus == null ? OptionalInt.empty() : OptionalInt.of(cpus);
      LoadReport.show(trace, count, time.slice(), format == Format.csv, out);
    }
  }

  /** {@code prof}. */
  @Command(
      name = "prof",
      aliases = "prof-hit",
      description = "Show where tracepoints were hit, as a tree of backtraces.",
      mixinStandardHelpOptions = true,
      footer = {
        "",
        "Needs events with backtraces.",
        "",
        "  fathom trace-file prof -t sched_switch --min-hits 5%% tracefile",
      })
  static final class ProfHit extends TraceProfileCommand {
    @Option(
        names = {"-t", "--tracepoint"},
        paramLabel = "NAME",
        description = "Count only this tracepoint.")
    private String tracepoint;

    @Override
    Samples samples() {
      return new Samples.Hits(Optional.ofNullable(tracepoint));
    }
  }

  /** {@code prof-timed}. */
  @Command(
      name = "prof-timed",
      description = "Show where time passed from a tracepoint to its _ret or _err.",
      mixinStandardHelpOptions = true,
      footer = {"", "  fathom trace-file prof-timed -t sched_wait tracefile"})
  static final class ProfTimed extends TraceProfileCommand {
    @Option(
        names = {"-t", "--tracepoint"},
        paramLabel = "NAME",
        required = true,
        description = "The tracepoint that things begin with.")
    private String tracepoint;

    @Override
    Samples samples() {
      return new Samples.Durations(tracepoint);
    }
  }

  /** {@code prof-wait}. */
  @Command(
      name = "prof-wait",
      description = "Show where threads waited, by how long.",
      mixinStandardHelpOptions = true,
      footer = {
        "",
        "Needs sched_wait and sched_wait_ret, with backtraces.",
        "",
        "  fathom trace-file prof-wait -g thread tracefile",
      })
  static final class ProfWait extends TraceProfileCommand {
    @Override
    Samples samples() {
      return new Samples.Durations("sched_wait");
    }
  }

  /** {@code prof-lock}. */
  @Command(
      name = "prof-lock",
      description = "Show where threads waited for locks, by how long.",
      mixinStandardHelpOptions = true,
      footer = {
        "",
        "Needs mutex_lock_wait and mutex_lock_wake, with backtraces.",
        "",
        "  fathom trace-file prof-lock tracefile",
      })
  static final class ProfLock extends TraceProfileCommand {
    @Override
    Samples samples() {
      return new Samples.Durations("mutex_lock_wait");
    }
  }

  /** {@code prof-idle}. */
  @Command(
      name = "prof-idle",
      description = "Show what threads waited for while their CPU was idle.",
      mixinStandardHelpOptions = true,
      footer = {
        "",
        "Needs sched_idle, sched_idle_ret, sched_wait and sched_wait_ret, with backtraces.",
        "",
        "  fathom trace-file prof-idle tracefile",
      })
  static final class ProfIdle extends TraceProfileCommand {
    @Override
    Samples samples() {
      return new Samples.Idle();
    }
  }

  /** {@code memory-analyzer}. */
  @Command(
      name = "memory-analyzer",
      description = "Show what was allocated, by allocator and sizes.",
      mixinStandardHelpOptions = true,
      footer = {
        "",
        "Needs the tracepoints memory_malloc_*; backtraces where they have them.",
        "",
        "  fathom trace-file memory-analyzer -s count -g allocator -g requested tracefile",
      })
  static final class Memory extends TraceCommand {
    /** {@code -s}; the names are those that users type. */
    enum Sort {
      size,
      count,
      unused
    }

    /** {@code -g}; the names are those that users type. */
    enum Group {
      allocator,
      alignment,
      allocated,
      requested
    }

    @Mixin private TraceSliceOptions time;

    @Mixin private TraceSymbolOptions symbols;

    @Mixin private TraceThresholds thresholds;

    @Option(
        names = "--min-count",
        paramLabel = "N",
        description = "Leave out groups of fewer allocations.")
    private Long minCount;

    @Option(
        names = {"-s", "--sort"},
        paramLabel = "HOW",
        defaultValue = "size",
        description = "By size (default), count or unused.")
    private Sort sort;

    @Option(
        names = {"-g", "--group-by"},
        paramLabel = "WHAT",
        split = ",",
        description =
            "A level of the tree: allocator, alignment, allocated, requested; all without it.")
    private List<Group> groups = new ArrayList<>();

    @Option(names = "--no-backtrace", description = "Leave out backtraces.")
    private boolean noBacktrace;

    @Override
    void show(Trace trace, Output out) {
      var order =
          switch (sort) {
            case size -> Allocations.Order.SIZE;
            case count -> Allocations.Order.COUNT;
            case unused -> Allocations.Order.UNUSED;
          };
      var options =
          new Allocations.Options(
              time.slice(),
              levels(),
              order,
              minCount == null ? OptionalLong.empty() : OptionalLong.of(minCount),
              thresholds.minHits(),
              !noBacktrace,
              thresholds.maxLevels(),
              symbols.style());
      var backtraces = symbols.backtraces(trace, file());
      AllocationReport.show(Allocations.of(trace.events(), backtraces, options), out);
    }

    private List<Allocations.Group> levels() {
      if (groups.isEmpty()) {
        return List.of(Allocations.Group.values());
      }
      var levels = new ArrayList<Allocations.Group>();
      for (var group : groups) {
        levels.add(
            switch (group) {
              case allocator -> Allocations.Group.ALLOCATOR;
              case alignment -> Allocations.Group.ALIGNMENT;
              case allocated -> Allocations.Group.ALLOCATED;
              case requested -> Allocations.Group.REQUESTED;
            });
      }
      return levels;
    }
  }
}
