// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.base.TargetException;
import dev.fathom.trace.Trace;
import dev.fathom.trace.TraceEvent;
import dev.fathom.trace.analysis.Packets;
import dev.fathom.trace.analysis.TimeSlice;
import dev.fathom.trace.report.EventReport;
import dev.fathom.trace.text.PrintFormat;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Packets of a trace as the program tcpdump shows them. */
final class TcpDump {
  private static final Pattern STATES = Pattern.compile("([0-9]{1,2}) -> ([0-9]{1,2})$");

  /** By number, as FreeBSD's and OSv's bsd/sys/netinet/tcp_fsm.h has them. */
  private static final List<String> STATE_NAMES =
      List.of(
          "CLOSED",
          "LISTEN",
          "SYN_SENT",
          "SYN_RECEIVED",
          "ESTABLISHED",
          "CLOSE_WAIT",
          "FIN_WAIT_1",
          "CLOSING",
          "LAST_ACK",
          "FIN_WAIT_2",
          "TIME_WAIT");

  private TcpDump() {}

  /** What writes a file of packets. */
  @FunctionalInterface
  interface Writer {
    void write(Packets to) throws IOException;
  }

  /**
   * Every line that tcpdump prints of these packets, its first among them, which says what it
   * reads.
   *
   * @throws TargetException when there is no tcpdump
   */
  static List<String> lines(Writer packets, String... options) throws IOException {
    Path file = Files.createTempFile("fathom-packets", ".pcap");
    try {
      try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
        packets.write(new Packets(out));
      }
      var command = new ArrayList<String>(List.of("tcpdump", "-nn"));
      command.addAll(Arrays.asList(options));
      command.addAll(List.of("-r", "-"));
      return run(command, file);
    } finally {
      Files.delete(file);
    }
  }

  private static List<String> run(List<String> command, Path input) throws IOException {
    Process process;
    try {
      process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectInput(input.toFile())
              .start();
    } catch (IOException e) {
      throw new TargetException(
          "cannot start tcpdump, which shows packets: " + e.getMessage() + "; pcap-dump needs none",
          e);
    }
    try (var lines = process.inputReader(StandardCharsets.UTF_8)) {
      return lines.lines().toList();
    } finally {
      process.destroy();
    }
  }

  /** What to show of events instead of their arguments. */
  static EventReport.Details details(Trace trace, TimeSlice slice, Optional<String> prefix)
      throws IOException {
    long[] count = {0};
    var all =
        lines(
            to -> {
              var events = trace.events();
              while (events.next()) {
                boolean asked =
                    prefix.isEmpty() || events.tracepoint().name().startsWith(prefix.get());
                if (asked && slice.contains(events.time()) && isPacket(events)) {
                  to.add(events);
                }
              }
              count[0] = to.packets();
            },
            "-t");
    // Some packets take several lines; then each is asked for alone.
    boolean inStep = all.size() == count[0] + 1;
    var left = all.iterator();
    if (inStep) {
      left.next();
    }
    return event -> {
      if (isPacket(event)) {
        return Optional.of(inStep ? left.next().stripTrailing() : alone(event));
      }
      return event.tracepoint().name().equals("tcp_state")
          ? Optional.of(states(event))
          : Optional.empty();
    };
  }

  private static boolean isPacket(TraceEvent event) {
    return Packets.isPacket(event.tracepoint()) && Packets.isKnown(event);
  }

  private static String alone(TraceEvent event) {
    try {
      var lines = lines(to -> to.add(event), "-t");
      return String.join("\n", lines.subList(Math.min(1, lines.size()), lines.size()));
    } catch (IOException e) {
      throw new TargetException("cannot run tcpdump: " + e.getMessage(), e);
    }
  }

  /** The arguments of {@code tcp_state}, with the states at their end by name. */
  static String states(TraceEvent event) {
    var text = new StringBuilder();
    PrintFormat.of(event.tracepoint()).append(text, event);
    return withStates(text.toString());
  }

  static String withStates(String text) {
    var found = STATES.matcher(text);
    return found.find()
        ? text.substring(0, found.start()) + state(found.group(1)) + " -> " + state(found.group(2))
        : text;
  }

  private static String state(String number) {
    int state = Integer.parseInt(number);
    return state < STATE_NAMES.size() ? STATE_NAMES.get(state) : "Unknown";
  }
}
