// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.JsonRenderer;
import dev.fathom.base.TextRenderer;
import dev.fathom.testkit.OsvtWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The subcommands over a real trace, beside what OSv's {@code trace.py} printed of it. The trace:
 * OSv v0.57, two virtual CPUs, all of the scheduler's tracepoints.
 */
class TraceFileCommandTest {
  @TempDir private static Path folder;

  private final StringBuilder out = new StringBuilder();
  private final StringBuilder errors = new StringBuilder();

  @BeforeAll
  static void unpack() throws IOException {
    Files.write(folder.resolve("tracefile"), resource("tracefile.gz"));
    try (var symbols = stream("tracefile.symbols")) {
      Files.write(folder.resolve("tracefile.symbols"), symbols.readAllBytes());
    }
  }

  private static InputStream stream(String name) {
    return TraceFileCommandTest.class.getResourceAsStream("osvt/" + name);
  }

  private static byte[] resource(String name) throws IOException {
    try (var packed = new GZIPInputStream(stream(name))) {
      return packed.readAllBytes();
    }
  }

  private static TraceCommand parse(List<String> arguments) {
    var all = new ArrayList<>(List.of("trace-file"));
    all.addAll(arguments);
    var parsed = FathomCommand.parser().parseArgs(all.toArray(String[]::new));
    while (parsed.hasSubcommand()) {
      parsed = parsed.subcommand();
    }
    return (TraceCommand) parsed.commandSpec().userObject();
  }

  /** Runs a subcommand; whether all went well. */
  private boolean run(Path file, String... arguments) throws IOException {
    out.setLength(0);
    var all = new ArrayList<>(List.of(arguments));
    all.add(file.toString());
    return parse(all).run(new TextRenderer(out, errors, TextRenderer.Options.PLAIN)).ok();
  }

  private String json(Path file, String... arguments) throws IOException {
    var all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--json", file.toString()));
    var text = new StringWriter();
    var sink = new JsonRenderer(text);
    sink.end(parse(all).run(sink));
    return text.toString();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          list-prefix      | list -t sched_switch
          summary          | summary
          summary-timed    | summary --timed
          list-timed       | list-timed
          list-timed-sort  | list-timed --sort duration
          wakeup-latency   | wakeup-latency
          cpu-load         | cpu-load
          cpu-load-csv     | cpu-load -f csv
          prof-wait-x      | prof-wait -x
          prof-S           | prof -S
          prof-wait-S      | prof-wait
          prof-wait-r      | prof-wait -S -r
          prof-wait-g      | prof-wait -S -g thread
          prof-cpu         | prof-hit -S -g cpu
          prof-idle        | prof-idle -S
          prof-timed       | prof-timed -S -t sched_wait
          prof-min         | prof -S --min-hits 5% --max-levels 4
          prof-dur         | prof-wait -S --min-duration 2s
          prof-slice       | prof-wait -S --since 45 --until 47.5
          prof-LAF         | prof -S -LAF -t sched_wait
          list-slice       | list -b -S --since 50 --period 10ms
          list-timed-slice | list-timed --since 50 --until 50.1 -b -x
          summary-slice    | summary --timed --since 45 --until 47.25
          """)
  void printsWhatTracePyPrints(String expected, String arguments) throws IOException {
    assertThat(run(folder.resolve("tracefile"), arguments.split(" "))).isTrue();
    assertThat(out.toString())
        .isEqualTo(new String(resource(expected + ".txt.gz"), StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @CsvSource({
    "list, e9eabef348e1ffb58747262bf5c239f11ace7457a9c1d50e357e280753718680",
    "list -b -l -S, 1847bb22c8f4ee4bc6296061acba38c93374d4c1e491796715e268096c376308",
  })
  void longListingsAreTheSameToo(String arguments, String digest)
      throws IOException, NoSuchAlgorithmException {
    assertThat(run(folder.resolve("tracefile"), arguments.split(" "))).isTrue();
    var sum =
        MessageDigest.getInstance("SHA-256")
            .digest(out.toString().getBytes(StandardCharsets.UTF_8));
    assertThat(HexFormat.of().formatHex(sum)).isEqualTo(digest);
  }

  @Test
  void withoutSuchEventsThereIsLittleToShow() throws IOException {
    assertThat(run(folder.resolve("tracefile"), "prof-lock")).isTrue();
    assertThat(out).isEmpty();
    assertThat(run(folder.resolve("tracefile"), "memory-analyzer")).isTrue();
    assertThat(out.toString()).isEqualTo("All\ncount: 0\n");
  }

  @Test
  void everyResultIsData() throws IOException {
    var file = folder.resolve("tracefile");
    assertThat(json(file, "summary", "--timed"))
        .startsWith("{\"command\":\"summary ")
        .contains("{\"name\":\"sched_load\",\"count\":6343}")
        .contains("{\"cpu\":1,\"first_ns\":42612008050,\"last_ns\":52527469430}")
        .contains("\"ok\":true");
    assertThat(json(file, "list", "-b", "-t", "sched_switch", "--since", "52.52"))
        .contains("\"tracepoint\":\"sched_switch\",\"arg_to\":\"0x4000")
        .contains("\"backtrace\":\"sched::");
    assertThat(json(file, "prof-wait", "-g", "thread"))
        .contains("\"thread_name\":\"locker-b\",\"functions\":\"All\",\"hits\":964,");
    assertThat(json(file, "cpu-load")).contains("{\"time_ns\":42612013490,\"cpu\":1,\"load\":2}");
    assertThat(json(file, "wakeup-latency"))
        .contains("\"time_ns\":42617753470,")
        .contains("\"wakeup_ns\":16870,");
  }

  private static final byte[] PACKET = {1, 2, 3, 4, 5, 6};

  private static OsvtWriter memory() {
    var writer =
        new OsvtWriter()
            .tracepoint(
                1, "memory_malloc_mempool", "PQQQ", "buf=%p, req_len=%d, alloc_len=%d, align=%d")
            .tracepoint(2, "net_packet_in", "i*", "proto=%d, data=%s")
            .tracepoint(3, "tcp_state", "Pii", "%p %d -> %d");
    for (int i = 0; i < 3; i++) {
      long[] frames = i == 0 ? new long[] {0x101, 0x201} : new long[] {0x101, 0x301};
      writer.event(1, 9, "t", 1000 + i, 0, frames, 0x5000L + i, 24, 32, 8);
    }
    writer.event(1, 9, "t", 2000, 0, new long[0], 0x6000L, 100, 100, 16);
    writer.event(2, 9, "t", 3_000_001_499L, 0, new long[0], 1, PACKET);
    writer.event(2, 9, "t", 3_000_001_500L, 0, new long[0], 9, PACKET);
    return writer.event(3, 9, "t", 4000, 0, new long[0], 0x7000L, 10, 4);
  }

  @Test
  void allocationsMakeATree() throws IOException {
    var file = Files.write(folder.resolve("memory"), memory().dump());
    assertThat(run(file, "memory-analyzer", "-g", "allocator,requested")).isTrue();
    assertThat(out.toString())
        .isEqualTo(
            """
            All
            count: 4
            unused: 12%
             \\-- mempool
                 count: 4
                 unused: 12%
                  |-- 24 requested
                  |   count: 3
                  |   unused: 25%
                  |    \\-- (100.00% #3) 0x100
                  |         |-- (66.67% #2) 0x300
                  |         |  \s
                  |         \\-- (33.33% #1) 0x200
                  |  \s
                  \\-- 100 requested
                      count: 1
            """);
  }

  @Test
  void packetsBecomeAFile() throws IOException {
    var file = Files.write(folder.resolve("packets"), memory().traceFile());
    var pcap = folder.resolve("packets.pcap");
    assertThat(run(file, "pcap-dump", "-o", pcap.toString())).isTrue();
    assertThat(HexFormat.of().formatHex(Files.readAllBytes(pcap)))
        .isEqualTo(
            "d4c3b2a1020004000000000000000000dc05000001000000"
                + "03000000010000001400000014000000"
                + "0000000000000000000000000800"
                + "010203040506"
                + "03000000020000000600000006000000"
                + "010203040506");
    assertThat(run(file, "pcap-dump", "-o", pcap.toString())).isFalse();
    assertThat(errors.toString()).contains("exists already; -f replaces it");
    assertThat(TcpDump.withStates("0x7000 10 -> 4")).isEqualTo("0x7000 TIME_WAIT -> ESTABLISHED");
  }

  @Test
  void aDumpConvertedListsTheSame() throws IOException {
    var file = Files.write(folder.resolve("buffers"), memory().dump());
    assertThat(run(file, "list", "-b")).isTrue();
    var listed = out.toString();
    assertThat(listed).contains("memory_malloc_mempool buf=0x0000000000005000, req_len=24");
    for (String to : List.of("tracefile", "recording")) {
      var converted = folder.resolve("converted-" + to);
      assertThat(run(file, "convert-dump", "--to", to, "-o", converted.toString())).isTrue();
      assertThat(run(converted, "list", "-b")).isTrue();
      assertThat(out.toString()).as(to).isEqualTo(listed);
    }
  }

  @Test
  void aRecordingOfTheTraceShowsTheSame() throws IOException {
    var recording = folder.resolve("recording");
    assertThat(
            run(
                folder.resolve("tracefile"),
                "convert-dump",
                "--to",
                "recording",
                "-o",
                recording.toString()))
        .isTrue();
    assertThat(Files.size(recording)).isLessThan(Files.size(folder.resolve("tracefile")) / 4);
    assertThat(run(recording, "prof-wait")).isTrue();
    assertThat(out.toString())
        .isEqualTo(new String(resource("prof-wait-S.txt.gz"), StandardCharsets.UTF_8));
    assertThat(run(recording, "summary", "--timed")).isTrue();
    assertThat(out.toString())
        .isEqualTo(new String(resource("summary-timed.txt.gz"), StandardCharsets.UTF_8));
  }

  @Test
  void whatIsWrongIsSaid() throws IOException {
    assertThat(usage("summary", "--since", "x")).contains("expected a number and ns, us");
    assertThat(usage("summary", "--period", "1s")).contains("--period goes with one of");
    assertThat(usage("prof", "--min-hits", "x%")).contains("a number or a percentage");
    assertThat(usage()).contains("expected a command: list, summary, ");
    var none = Files.write(folder.resolve("none"), new byte[100]);
    assertThat(run(none, "summary")).isFalse();
    assertThat(errors.toString()).contains("no trace: expected a trace file or dump of OSv");
    byte[] whole = memory().traceFile();
    var cut = Files.write(folder.resolve("cut"), java.util.Arrays.copyOf(whole, whole.length - 2));
    assertThat(run(cut, "list")).isFalse();
    assertThat(out.toString().lines()).hasSize(6);
    assertThat(errors.toString()).contains("bytes for the arguments of an event");
  }

  private static String usage(String... arguments) {
    var all = new ArrayList<>(List.of("trace-file"));
    all.addAll(List.of(arguments));
    if (arguments.length > 0) {
      all.add(folder.resolve("tracefile").toString());
    }
    var text = new StringWriter();
    int status =
        FathomCommand.parser()
            .setErr(new PrintWriter(text, true))
            .setParameterExceptionHandler(Problems::usage)
            .execute(all.toArray(String[]::new));
    assertThat(status).isEqualTo(Problems.WRONG_ARGUMENTS);
    return text.toString();
  }
}
