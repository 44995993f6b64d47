// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.LiveGuest;
import dev.fathom.testkit.lab.Recipe;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** D on a real guest: what is counted is what was done in it. */
@Tag("lab")
@Timeout(300)
class TraceLabTest {
  /** Is written with what the first half a second of tracing brought. */
  private static final String BEGUN = "BEGIN { printf(\"begun\\n\"); } ";

  private static LiveGuest guest;

  @TempDir private Path folder;

  @BeforeAll
  static void boot() {
    guest = Lab.open().start(Recipe.healthy("6.1"), List.of());
  }

  @AfterAll
  static void end() {
    guest.close();
  }

  private String trace(String program, String... more) throws IOException {
    var file = folder.resolve("out");
    Files.deleteIfExists(file);
    var words =
        new ArrayList<>(List.of("trace", "--on", "qemu:" + guest.pid(), "-x", "stopbudget=100"));
    words.addAll(List.of("-o", file.toString(), "-qn", program));
    words.addAll(List.of(more));
    assertThat(Main.run(words.toArray(String[]::new))).isZero();
    assertThat(runs()).isTrue();
    return Files.exists(file) ? Files.readString(file) : "";
  }

  private static boolean runs() {
    return guest.guest().monitor().execute("query-status", Map.of()) instanceof Map<?, ?> status
        && Boolean.TRUE.equals(status.get("running"));
  }

  /** 500 reads and writes of a byte each by dd, whose start takes none such. */
  @Test
  void everyReadIsCountedOnEntryAndReturn() throws IOException {
    var work = once("dd if=/dev/zero of=/dev/null bs=1 count=500");
    var text =
        trace(
            BEGUN
                + "syscall::read:entry /execname == \"dd\"/ { @in = count(); }"
                + "syscall::read:return /execname == \"dd\" && arg1 == 1 && errno == 0/"
                + " { @out = count(); }"
                + "syscall::write:return /execname == \"dd\" && arg0 == 1/ { @w = count(); }"
                + "fbt::do_exit:entry /execname == \"dd\"/ { exit(0); }"
                + "tick-240s { exit(0); }"
                + "END { printa(\"in %@d\\n\", @in); printa(\"out %@d\\n\", @out);"
                + " printa(\"written %@d\\n\", @w); }");
    work.join();
    assertThat(number(text, "in (\\d+)")).isEqualTo(500);
    assertThat(number(text, "out (\\d+)")).isEqualTo(500);
    assertThat(number(text, "written (\\d+)")).isEqualTo(500);
  }

  /**
   * Has the guest run a command once what {@link #BEGUN} prints is there: probes are, too, then.
   */
  private CompletableFuture<Void> once(String command) {
    var file = folder.resolve("out");
    return CompletableFuture.runAsync(
        () -> {
          for (int i = 0; i < 600 && (!Files.exists(file) || size(file) == 0); i++) {
            sleep(100);
          }
          guest.run(command);
        });
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long number(String text, String pattern) {
    var found = Pattern.compile(pattern).matcher(text);
    assertThat(found.find()).as(text).isTrue();
    return Long.parseLong(found.group(1));
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void samplesAreKernelStacks() throws IOException {
    var page = folder.resolve("f.html");
    trace(
        "profile-50 { @[stack()] = count(); } tick-2s { exit(0); }",
        "--flamegraph",
        page.toString());
    assertThat(Files.readString(page)).contains("do_idle");
  }

  @Test
  void samplesAreOfEveryCpu() throws IOException {
    assertThat(
            trace(
                "profile-50 { @[cpu] = count(); } tick-3s { exit(0); }"
                    + "END { printa(\"cpu %d\\n\", @); }"))
        .contains("cpu 0\n", "cpu 1\n");
  }

  @Test
  void aFailedCallHasItsErrorNumber() throws IOException {
    var work = once("cat /there/is/no/such/file");
    var text =
        trace(
            BEGUN
                + "syscall::openat:return /execname == \"cat\" && errno != 0/"
                + " { printf(\"%d %d\\n\", errno, (int)arg0); }"
                + "fbt::do_exit:entry /execname == \"cat\"/ { exit(0); }"
                + "tick-240s { exit(0); }");
    work.join();
    assertThat(text).contains("2 -2\n");
  }

  /** Functions whose arguments the compiler changed have a suffix, and no args[]. */
  @Test
  void argumentsHaveTheKernelsTypes() throws IOException {
    assertThat(
            trace(
                "fbt::try_to_wake_up:entry"
                    + " { printf(\"%s\\n\", stringof(args[0]->comm)); exit(0); }"))
        .containsPattern("^[^\n]+\n");
  }

  @Test
  void directoriesAndOpenFilesAreTold() throws IOException {
    var work = once("cd /bin; cat /init /dev/null > /dev/zero");
    var text =
        trace(
            BEGUN
                + """
                syscall::dup2:entry /execname == "sh" || execname == "cat"/ { @[fds[arg0].fi_pathname] = count(); }
                syscall::sendfile64:entry /execname == "cat"/ {
                  printf("%s|%s|%s|%s|%s\\n", cwd, root, execargs, fds[arg1].fi_pathname, fds[1].fi_name);
                  printf("%s %s %d\\n", fds[arg1].fi_fs, fds[arg1].fi_mount, getf(arg1)->f_flags == fds[arg1].fi_oflags);
                  printf("%s\\n", d_path(&getf(1)->f_path));
                  printf("%s %d\\n", curpsinfo->pr_psargs, curpsinfo->pr_nlwp);
                }
                fbt::do_exit:entry /execname == "cat"/ { exit(0); }
                tick-240s { exit(0); }
                """);
    work.join();
    assertThat(text)
        .contains("/bin|/|cat /init /dev/null|/init|zero\nrootfs / 1\n/dev/zero\n")
        .contains("cat /init /dev/null 1\n");
  }

  /** What ttwu_do_wakeup() and its like count is what the probe counts, less new threads. */
  @Test
  void wakeupsAreFollowed() throws IOException {
    var work = once("cat /dev/null; cat /dev/null; kill -CONT $$");
    var text =
        trace(
            BEGUN
                + """
                sched:::wakeup { @woken = count(); @same = sum(args[0]->pr_addr == arg0 && args[1]->pr_addr == arg0); }
                sdt:::sched_wakeup { @told = count(); }
                proc:::signal-send /args[2] == SIGCONT/ { exit(0); }
                tick-240s { exit(0); }
                END { printa("%@d %@d %@d\\n", @woken, @same, @told); }
                """);
    work.join();
    assertThat(number(text, "(\\d+) \\d+ \\d+\n")).isPositive();
    assertThat(text).containsPattern("(\\d+) \\1 \\1\n");
  }

  /** Three blocks are written, and a flush that is waited for. */
  @Test
  void requestsToBlockDevicesAreFollowed() throws IOException {
    var work = once("dd if=/dev/zero of=/dev/vda bs=4096 seek=200 count=3 conv=fsync");
    var text =
        trace(
            BEGUN
                + """
                io:::start /args[0]->b_bcount != 0/ {
                  printf("%d %d %d %s %s\\n", args[0]->b_bcount, args[0]->b_blkno,
                      args[0]->b_flags & (B_READ | B_WRITE), args[1]->dev_pathname, args[1]->dev_name);
                  pending[args[0]->b_blkno] = 1;
                }
                io:::done /pending[args[0]->b_blkno]/ {
                  @done[args[1]->dev_statname, args[0]->b_error] = sum(args[0]->b_bcount);
                }
                io:::wait-start { self->bio = arg0; }
                io:::wait-done /arg0 == self->bio/ { @waited = count(); }
                fbt::do_exit:entry /execname == "dd"/ { exit(0); }
                tick-240s { exit(0); }
                END { printa("%s %d done %@d\\n", @done); printa("waited %@d\\n", @waited); }
                """);
    work.join();
    assertThat(text)
        .contains("4096 1600 256 /dev/vda virtio_blk\n")
        .contains("4096 1608 256 /dev/vda virtio_blk\n")
        .contains("4096 1616 256 /dev/vda virtio_blk\n")
        .contains("vda 0 done 12288\n")
        .contains("waited 1\n");
  }

  /** A command of the guest's shell is a process that begins, executes, gets a name, and ends. */
  @Test
  void processesAreFollowedThroughTheirLives() throws IOException {
    var work = once("sh -c 'cat /there/is/no/such/file; kill -CONT $$'");
    var text =
        trace(
            BEGUN
                + """
                proc:::create /execname == "sh" || execname == "init"/ { @created = count(); }
                proc:::start /execname == "sh" || execname == "init"/ { @started = count(); }
                proc:::exec-success /execname == "cat" || execname == "exe"/ { @ran = count(); }
                proc:::signal-send /args[2] == SIGCONT/ { printf("CONT %s\\n", args[1]->pr_fname); }
                proc:::exit /args[0] == 1/ { @ended = count(); }
                sched:::off-cpu /pid != 0 && args[0]->pr_lwpid != tid/ { @off[tid] = count(); }
                sched:::on-cpu { @on[tid] = count(); }
                proc:::signal-send /args[2] == SIGCONT/ { exit(0); }
                tick-240s { exit(0); }
                END { clear(@off); clear(@on); printa("created %@d\\n", @created);
                      printa("started %@d\\n", @started); printa("ended %@d\\n", @ended); }
                """);
    work.join();
    assertThat(text).contains("CONT ");
    long created = number(text, "created (\\d+)");
    assertThat(created).isGreaterThanOrEqualTo(2);
    assertThat(number(text, "started (\\d+)")).isBetween(created - 1, created);
    assertThat(number(text, "ended (\\d+)")).isBetween(1L, created);
  }

  /** Ten programs begin and end; the guest's own static keys stay as they are. */
  @Test
  void tracepointsAreFollowedWithoutBeingEnabled() throws IOException {
    var work = once("for i in 1 2 3 4 5 6 7 8 9 10; do cat /dev/null; done; kill -CONT $$");
    var text =
        trace(
            BEGUN
                + """
                sdt:::sched_process_fork /args[0]->pid == pid && (execname == "sh" || execname == "init")/ {
                  last = args[1]->pid; @began = count();
                }
                sdt:::sched_process_exit /stringof(args[0]->comm) == "cat"/ { @ended = count(); }
                fbt::wake_up_new_task:entry /execname == "sh" || execname == "init"/ { @woken = count(); }
                sdt:::signal_generate /args[0] == 18 && args[2]->pid == pid/ { exit(0); }
                tick-240s { exit(0); }
                END { printa("began %@d\\n", @began); printa("woken %@d\\n", @woken);
                      printa("ended %@d\\n", @ended); }
                """);
    work.join();
    assertThat(number(text, "ended (\\d+)")).isEqualTo(10);
    assertThat(number(text, "began (\\d+)")).isEqualTo(number(text, "woken (\\d+)"));
    assertThat(guest.run("cat /proc/version")).contains("Linux version");
  }

  /** Both syntaxes of VProbes: stacks of each CPU, and calls of a function that always comes. */
  @Test
  void vprobesScriptsRun() throws IOException {
    var lisp = folder.resolve("stacks.vp");
    Files.writeString(
        lisp,
        "(definteger n 0) (vprobe VMM10Hz (gueststack stack) (printf \"%s\\n\" stack)"
            + " (setint n (+ n 1)) (cond ((> n 5) (exit))))");
    assertThat(script(lisp)).containsPattern("(?m)^GUEST,0xffffffff[0-9a-f]{8},0x");
    var emmett = folder.resolve("entry.emt");
    Files.writeString(
        emmett,
        "aggr calls[1][0];\n"
            + "GUEST:ENTER:schedule { calls[VCPUID]++; logaggr(calls); exit(); }\n");
    assertThat(script(emmett)).containsPattern("calls\\[[01]\\] == avg 1 count 1 min 1 max 1");
  }

  private String script(Path file) throws IOException {
    var out = folder.resolve("script.out");
    Files.deleteIfExists(out);
    var words =
        new String[] {
          "trace", "--on", "qemu:" + guest.pid(), "-o", out.toString(), "-s", file.toString()
        };
    assertThat(Main.run(words)).isZero();
    assertThat(runs()).isTrue();
    return Files.readString(out);
  }
}
