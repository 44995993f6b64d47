// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.base.Datum;
import dev.fathom.base.Loss;
import dev.fathom.base.TargetException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.trace.Trace;
import dev.fathom.trace.Tracepoint;
import dev.fathom.trace.analysis.Packets;
import dev.fathom.trace.analysis.Samples;
import dev.fathom.trace.export.ChromeTrace;
import dev.fathom.trace.export.FlameGraph;
import dev.fathom.trace.export.FoldedStacks;
import dev.fathom.trace.export.Speedscope;
import dev.fathom.trace.export.Stacks;
import dev.fathom.trace.export.TraceExports;
import dev.fathom.trace.file.OsvTrace;
import dev.fathom.trace.recording.RecordingWriter;
import dev.fathom.trace.report.Output;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Subcommands of {@code fathom trace-file} that write other formats. */
final class TraceOutputs {
  private TraceOutputs() {}

  /** Writes a file. */
  @FunctionalInterface
  interface Content {
    void write(OutputStream out) throws IOException;
  }

  /**
   * Writes a new file, or standard output for {@code -}.
   *
   * @param replace whether a file that is there may be replaced
   */
  static void write(Path file, boolean replace, Content content) throws IOException {
    if (file.toString().equals("-")) {
      var out = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out));
      content.write(out);
      out.flush();
      return;
    }
    var how =
        replace
            ? List.of(StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING)
            : List.of(StandardOpenOption.CREATE_NEW);
    var options = new HashSet<StandardOpenOption>(how);
    options.add(StandardOpenOption.WRITE);
    try (var out =
        new BufferedOutputStream(
            Files.newOutputStream(file, options.toArray(StandardOpenOption[]::new)), 1 << 16)) {
      content.write(out);
    } catch (FileAlreadyExistsException e) {
      throw new TargetException(file + ": exists already; -f replaces it", e);
    } catch (IOException e) {
      throw new TargetException(file + ": cannot be written: " + e.getMessage(), e);
    }
  }

  private static void warnOfSkipped(Packets packets, Output out) {
    if (packets.skipped() > 0) {
      out.sink()
          .lost(
              new Loss("packets of protocols that Ethernet has no number for", packets.skipped()));
    }
  }

  /** {@code tcpdump}. */
  @Command(
      name = "tcpdump",
      description = "Show packets as the program tcpdump does, which must be there.",
      mixinStandardHelpOptions = true,
      footer = {
        "",
        "Needs net_packet_in and net_packet_out.",
        "",
        "  fathom trace-file tcpdump tracefile",
      })
  static final class Tcpdump extends TraceCommand {
    @Mixin private TraceSliceOptions time;

    @Override
    void show(Trace trace, Output out) throws IOException {
      var lines =
          TcpDump.lines(
              to -> {
                to.addAll(trace.events(), time.slice());
                warnOfSkipped(to, out);
              });
      lines.forEach(line -> out.sink().accept(new Datum.Text(line)));
    }
  }

  /** {@code pcap-dump}. */
  @Command(
      name = "pcap-dump",
      description = "Write packets in the format of libpcap, to standard output or a file.",
      mixinStandardHelpOptions = true,
      footer = {
        "",
        "Needs net_packet_in and net_packet_out.",
        "",
        "  fathom trace-file pcap-dump tracefile | tshark -r -",
        "  fathom trace-file pcap-dump -o packets.pcap tracefile",
      })
  static final class PcapDump extends TraceCommand {
    @Mixin private TraceSliceOptions time;

    @Option(
        names = {"-o", "--output"},
        paramLabel = "FILE",
        defaultValue = "-",
        description = "The file to write; - (default) for standard output.")
    private Path output;

    @Option(
        names = {"-f", "--force"},
        description = "Replace a file that is there.")
    private boolean force;

    @Override
    void show(Trace trace, Output out) throws IOException {
      write(
          output,
          force,
          to -> {
            var packets = new Packets(to);
            packets.addAll(trace.events(), time.slice());
            warnOfSkipped(packets, out);
          });
    }
  }

  /** {@code prof-flame}. */
  @Command(
      name = "prof-flame",
      description = "Show where tracepoints were hit, as folded stacks for flame graph tools.",
      mixinStandardHelpOptions = true,
      footer = {
        "",
        "The command export makes the flame graph itself.",
        "",
        "  fathom trace-file prof-flame -t sched_switch tracefile > stacks.folded",
      })
  static final class ProfFlame extends TraceCommand {
    @Mixin private TraceSliceOptions time;

    @Mixin private TraceSymbolOptions symbols;

    @Option(
        names = {"-t", "--tracepoint"},
        paramLabel = "NAME",
        description = "Count only this tracepoint.")
    private String tracepoint;

    @Option(
        names = "--min-hits",
        paramLabel = "N",
        defaultValue = "1",
        description = "Leave out stacks with fewer hits.")
    private long minHits;

    @Override
    void show(Trace trace, Output out) throws IOException {
      var stacks =
          TraceExports.stacks(
              trace,
              new Samples.Hits(Optional.ofNullable(tracepoint)),
              time.slice(),
              symbols.backtraces(trace, file()),
              symbols.style());
      var kept = new Stacks(stacks.name(), stacks.unit());
      for (var stack : stacks.stacks()) {
        if (stack.weight() >= minHits) {
          kept.add(stack.frames(), stack.weight());
        }
      }
      var text = new StringBuilder();
      FoldedStacks.write(kept, text);
      text.toString().lines().forEach(line -> out.sink().accept(new Datum.Text(line)));
    }
  }

  /** {@code export}. */
  @Command(
      name = "export",
      description = "Write a flame graph, or what other programs show.",
      mixinStandardHelpOptions = true,
      footer = {
        "",
        "  flamegraph   a page that needs nothing else: zoom, search",
        "  folded       a line for each stack, for flame graph tools",
        "  speedscope   for www.speedscope.app",
        "  chrome       events over time, for ui.perfetto.dev or chrome://tracing",
        "",
        "All but chrome count how often tracepoints were hit, or with --timed how long what",
        "began there took, or with --idle what threads waited for while their CPU was idle.",
        "",
        "  fathom trace-file export --timed sched_wait -o waits.html tracefile",
        "  fathom trace-file export --format chrome -o trace.json tracefile",
      })
  static final class Export extends TraceCommand {
    /** {@code --format}; the names are those that users type. */
    enum Format {
      flamegraph,
      folded,
      speedscope,
      chrome
    }

    @Mixin private TraceSliceOptions time;

    @Mixin private TraceSymbolOptions symbols;

    @Option(
        names = "--format",
        paramLabel = "FORMAT",
        defaultValue = "flamegraph",
        description = "flamegraph (default), folded, speedscope or chrome.")
    private Format format;

    @Option(
        names = {"-t", "--tracepoint"},
        paramLabel = "NAME",
        description = "Count only hits of this tracepoint.")
    private String tracepoint;

    @Option(
        names = "--timed",
        paramLabel = "NAME",
        description = "Take the time of what began at this tracepoint.")
    private String timed;

    @Option(names = "--idle", description = "Take the time in which CPUs were idle.")
    private boolean idle;

    @Option(
        names = {"-o", "--output"},
        paramLabel = "FILE",
        required = true,
        description = "The file to write; - for standard output.")
    private Path output;

    @Option(
        names = {"-f", "--force"},
        description = "Replace a file that is there.")
    private boolean force;

    @Override
    void show(Trace trace, Output out) throws IOException {
      if ((tracepoint == null ? 0 : 1) + (timed == null ? 0 : 1) + (idle ? 1 : 0) > 1) {
        throw wrong("only one of --tracepoint, --timed and --idle");
      }
      write(
          output,
          force,
          to -> {
            var text = new OutputStreamWriter(to, StandardCharsets.UTF_8);
            export(trace, text);
            text.flush();
          });
    }

    private void export(Trace trace, Writer to) throws IOException {
      switch (format) {
        case flamegraph -> FlameGraph.write(stacks(trace), to);
        case folded -> FoldedStacks.write(stacks(trace), to);
        case speedscope -> Speedscope.write(List.of(stacks(trace)), to);
        case chrome -> {
          try (var chrome = new ChromeTrace(to, trace.name())) {
            TraceExports.timeline(trace, time.slice(), chrome);
          }
        }
      }
    }

    private Stacks stacks(Trace trace) {
      Samples samples =
          idle
              ? new Samples.Idle()
              : timed != null
                  ? new Samples.Durations(timed)
                  : new Samples.Hits(Optional.ofNullable(tracepoint));
      var backtraces = symbols.backtraces(trace, file());
      return TraceExports.stacks(trace, samples, time.slice(), backtraces, symbols.style());
    }
  }

  /** {@code convert-dump}. */
  @Command(
      name = "convert-dump",
      description = "Write a trace in another format.",
      mixinStandardHelpOptions = true,
      footer = {
        "",
        "tracefile is what OSv's trace.py reads, and can be made of OSv's traces only;",
        "recording is Fathom's own, which keeps the names of functions as well.",
        "",
        "  fathom trace-file convert-dump buffers -o tracefile",
        "  fathom trace-file convert-dump tracefile -o run.ftrace --to recording",
      })
  static final class ConvertDump extends TraceCommand {
    /** {@code --to}; the names are those that users type. */
    enum To {
      tracefile,
      recording
    }

    @Mixin private TraceSymbolOptions symbols;

    @Option(
        names = {"-o", "--output"},
        paramLabel = "FILE",
        required = true,
        description = "The file to write.")
    private Path output;

    @Option(
        names = "--to",
        paramLabel = "FORMAT",
        defaultValue = "tracefile",
        description = "tracefile (default) or recording.")
    private To format;

    @Option(
        names = {"-f", "--force"},
        description = "Replace a file that is there.")
    private boolean force;

    @Override
    void show(Trace trace, Output out) throws IOException {
      if (Files.exists(output) && Files.isSameFile(output, file())) {
        throw wrong("-o " + output + " is the trace that is read");
      }
      switch (format) {
        case tracefile -> {
          if (!(trace instanceof OsvTrace osv)) {
            throw new UnsupportedException(
                file() + ": is no trace of OSv's, which a tracefile is made of; --to recording");
          }
          write(output, force, osv::writeTraceFile);
        }
        case recording -> write(output, force, to -> record(trace, to));
      }
    }

    private void record(Trace trace, OutputStream to) throws IOException {
      var names = symbols.names(trace, file());
      try (var writer = new RecordingWriter(to)) {
        writer.fact("source", trace.name());
        var tracepoints = new Tracepoint[trace.tracepoints().size()];
        for (var tracepoint : trace.tracepoints()) {
          tracepoints[tracepoint.number()] =
              writer.tracepoint(
                  tracepoint.provider(),
                  tracepoint.name(),
                  tracepoint.format(),
                  tracepoint.arguments());
        }
        trace.losses().forEach(writer::loss);
        var named = new HashSet<Long>();
        var events = trace.events();
        while (events.next()) {
          for (int i = 0; i < events.frames(); i++) {
            long address = events.frame(i) - 1;
            if (named.add(address)) {
              var frames = names.at(address);
              if (!frames.isEmpty()) {
                writer.names(address, frames);
              }
            }
          }
          writer.event(events, tracepoints[events.tracepoint().number()]);
        }
      }
    }
  }
}
