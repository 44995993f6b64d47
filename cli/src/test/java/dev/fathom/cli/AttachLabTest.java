// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.LiveGuest;
import dev.fathom.testkit.lab.Recipe;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The program itself over one running guest: however it ends, the guest goes on. */
@Tag("lab")
@Timeout(600)
class AttachLabTest {
  private static final Path LAUNCHER = Path.of(System.getProperty("fathom.home")).resolve("fathom");

  /** Taken all the time, in an idle guest too. */
  private static final String FUNCTION = "_raw_spin_lock";

  private static int port;
  private static LiveGuest guest;

  @TempDir private Path folder;
  private final List<Process> started = new ArrayList<>();

  @AfterEach
  void endAll() {
    for (var process : started) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  @BeforeAll
  static void boot() throws IOException {
    try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    guest = Lab.open().start(Recipe.healthy("6.1"), List.of("-gdb", "tcp:127.0.0.1:" + port));
  }

  @AfterAll
  static void end() {
    guest.close();
  }

  private static String stub() {
    return "127.0.0.1:" + port;
  }

  private Path out() {
    return folder.resolve("out");
  }

  private Process start(List<String> command) throws IOException {
    return start(command, out());
  }

  private Process start(List<String> command, Path words) throws IOException {
    // Who runs these tests in the background may have Ctrl-C ignored, which is inherited.
    var all = new ArrayList<>(List.of("/usr/bin/env", "--default-signal=INT"));
    all.addAll(command);
    var builder = new ProcessBuilder(all);
    builder.environment().put("XDG_CACHE_HOME", folder.resolve("cache").toString());
    builder.environment().put("XDG_STATE_HOME", folder.resolve("state").toString());
    builder.environment().put("TERM", "xterm");
    var process = builder.redirectErrorStream(true).redirectOutput(words.toFile()).start();
    started.add(process);
    return process;
  }

  private Process fathom(String... arguments) throws IOException {
    var command = new ArrayList<>(List.of(LAUNCHER.toString()));
    command.addAll(Arrays.asList(arguments));
    return start(command);
  }

  private interface Wish {
    boolean granted() throws IOException;
  }

  private void await(String what, Process process, Wish wish) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
    while (!wish.granted()) {
      assertThat(process.isAlive() && System.nanoTime() < deadline)
          .as(what + ": " + Files.readString(out()))
          .isTrue();
      Thread.sleep(50);
    }
  }

  private void await(Process process, String text) throws Exception {
    await(text, process, () -> Files.readString(out()).contains(text));
  }

  private static void end(Process process) throws InterruptedException {
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ends within a minute").isTrue();
  }

  private static boolean runs() {
    return guest
        .guest()
        .monitor()
        .execute("query-status", Map.of())
        .toString()
        .contains("running=true");
  }

  private static long stops() {
    runs(); // Events come with an answer.
    return guest.guest().monitor().events().stream().filter("STOP"::equals).count();
  }

  private byte[] code() throws IOException {
    Path file = folder.resolve("code");
    long function = guest.facts().symbol(FUNCTION).orElseThrow();
    guest
        .guest()
        .monitor()
        .execute("memsave", Map.of("val", function, "size", 16, "filename", file.toString()));
    return Files.readAllBytes(file);
  }

  private void goesOn(byte[] code) throws IOException {
    assertThat(runs()).isTrue();
    assertThat(code()).isEqualTo(code);
    long stopped = stops();
    assertThat(guest.run("echo all well")).contains("all well");
    assertThat(stops()).as("no breakpoint is left").isEqualTo(stopped);
  }

  @ParameterizedTest
  @CsvSource({"TERM,stub", "INT,stub", "TERM,qemu", "HUP,qemu"})
  void aSignalLetsTheGuestGo(String signal, String way) throws Exception {
    byte[] code = code();
    long before = stops();
    var address = way.equals("stub") ? stub() : "qemu:" + guest.pid();
    var process = fathom("attach", address, "-e", "b " + FUNCTION + " if cpu == 99", "-e", "c");
    // It is in the middle of handling hits.
    await("hits", process, () -> stops() > before + 10);
    kill(signal, process.pid());
    end(process);
    assertThat(process.exitValue()).isNotZero();
    goesOn(code);
  }

  private static void kill(String signal, long pid) throws Exception {
    var kill = new ProcessBuilder("kill", "-" + signal, Long.toString(pid)).inheritIO().start();
    assertThat(kill.waitFor()).isZero();
  }

  @Test
  void controlCStopsTheGuestAndTheEndLetsItGo() throws Exception {
    byte[] code = code();
    var line = "'" + LAUNCHER + "' attach " + stub();
    var terminal = start(List.of("/usr/bin/script", "-qefc", line, "/dev/null"));
    var keys = terminal.getOutputStream();
    await(terminal, "Ctrl-D to leave");
    long before = stops();
    keys.write(("b " + FUNCTION + " if cpu == 99\rc\r").getBytes(StandardCharsets.US_ASCII));
    keys.flush();
    await("hits", terminal, () -> stops() > before + 10);
    keys.write(3);
    keys.flush();
    await(terminal, "stopped by user");
    assertThat(runs()).isFalse();
    keys.write(4);
    keys.flush();
    end(terminal);
    goesOn(code);
  }

  /** A stub serves one client: the second waits in its queue, and is taken up when it is dead. */
  @Test
  void aSignalWhileItConnectsLeavesNoGuestStopped() throws Exception {
    byte[] code = code();
    Process process;
    try (var first = new Socket(InetAddress.getLoopbackAddress(), port)) {
      await("the first client", ProcessHandle.current(), () -> !runs());
      process = fathom("attach", stub(), "--timeout", "60", "-e", "::ps");
      await("the second client", process, () -> connections() == 2);
      Thread.sleep(500);
      kill("TERM", process.pid());
      end(process);
      assertThat(first.isConnected()).isTrue();
      assertThat(runs()).isFalse();
    }
    await("its going on: " + Files.readString(out()), ProcessHandle.current(), AttachLabTest::runs);
    goesOn(code);
  }

  private static void await(String what, ProcessHandle alive, Wish wish) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!wish.granted()) {
      assertThat(alive.isAlive() && System.nanoTime() < deadline).as(what).isTrue();
      Thread.sleep(50);
    }
  }

  /** Connections to the stub that are established, as the clients' ends (proc(5), net/tcp). */
  private static long connections() throws IOException {
    var end = String.format(Locale.ROOT, ":%04X", port);
    long count = 0;
    for (var table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
      for (var line : Files.readAllLines(Path.of(table))) {
        var words = line.strip().split(" +");
        count += words[2].endsWith(end) && words[3].equals("01") ? 1 : 0;
      }
    }
    return count;
  }

  @Test
  void aSecondClientIsRefusedAndDisturbsNothing() throws Exception {
    byte[] code = code();
    var first = fathom("attach", stub());
    var input = first.getOutputStream();
    input.write("::ps\n".getBytes(StandardCharsets.US_ASCII));
    input.flush();
    await(first, "kthreadd");
    Path words = folder.resolve("second");
    var second =
        start(
            List.of(LAUNCHER.toString(), "attach", stub(), "--timeout", "2", "-e", "::ps"), words);
    end(second);
    assertThat(second.exitValue()).isNotZero();
    assertThat(Files.readString(words).lines()).singleElement().asString().contains("no answer");
    input.write("::cpuinfo\n".getBytes(StandardCharsets.US_ASCII));
    input.close();
    end(first);
    assertThat(first.exitValue()).isZero();
    await("the guest's going on", ProcessHandle.current(), AttachLabTest::runs);
    goesOn(code);
  }
}
