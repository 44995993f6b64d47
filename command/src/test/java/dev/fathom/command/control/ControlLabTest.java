// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.fathom.base.FathomException;
import dev.fathom.base.TextRenderer;
import dev.fathom.command.CommandService;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.session.Session;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.Live;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.LiveGuest;
import dev.fathom.testkit.lab.Recipe;
import java.io.IOException;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Real guests under QEMU's emulation, four CPUs of which one is always busy in user mode. The tests
 * share one for as long as it lives.
 */
@Tag("lab")
@Timeout(600)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ControlLabTest {
  private static final Lab LAB = Lab.open();

  /** The order of tests that end their guest: behind the others. */
  private static final int LAST = 1 << 20;

  private static Optional<LiveGuest> shared = Optional.empty();
  private static String address;

  private LiveGuest guest;

  @BeforeEach
  void boot() throws IOException {
    if (shared.isEmpty() || !shared.get().guest().alive()) {
      end();
      address = freeAddress();
      shared =
          Optional.of(
              LAB.start(
                  Recipe.healthy("6.1").withCpus(4).spinning(), List.of("-gdb", "tcp:" + address)));
    }
    guest = shared.get();
  }

  @AfterAll
  static void end() {
    shared.ifPresent(LiveGuest::close);
    shared = Optional.empty();
  }

  private static String freeAddress() throws IOException {
    try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return "127.0.0.1:" + free.getLocalPort();
    }
  }

  private static Session attach() {
    return attach(address);
  }

  private static Session attach(String where) {
    return Session.attach(
        where, AttachOptions.DEFAULT, new KernelOptions(Optional.empty(), true, Progress.NONE));
  }

  private static CommandService commands(Session session) {
    var service = StandardCommands.over(session);
    service.environment().settings().writable(true);
    return service;
  }

  private static String run(CommandService service, String line) {
    var out = new StringWriter();
    service.run(line, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
    return out.toString();
  }

  private boolean runs() {
    return runs(guest);
  }

  private static boolean runs(LiveGuest guest) {
    return guest.guest().monitor().execute("query-status", Map.of()) instanceof Map<?, ?> status
        && Boolean.TRUE.equals(status.get("running"));
  }

  private long tid(String name) {
    return guest.facts().tasks().stream()
        .filter(task -> task.name().equals(name))
        .findFirst()
        .orElseThrow()
        .tid();
  }

  @Test
  void writesIntoAGuestThatRuns() {
    try (var session = attach("qemu:" + guest.pid())) {
      var service = commands(session);
      assertThat(run(service, "panic_timeout/W 7")).endsWith("0x0 = 0x7\n");
      assertThat(runs()).isTrue();
      assertThat(guest.run("cat /proc/sys/kernel/panic").lines()).contains("7");
      run(service, "p panic_timeout = 0");
      assertThat(guest.run("cat /proc/sys/kernel/panic").lines()).contains("0");
    }
  }

  @Test
  void conditionsOnTheThread() {
    try (var session = attach()) {
      var service = commands(session);
      run(service, "::bp -i 'comm == \"rcu_preempt\"' schedule");
      assertThat(run(service, ":c")).contains("breakpoint 1: rcu_preempt/");
      run(service, ":z");
      run(service, "tb schedule if pid == " + tid("rcu_preempt"));
      assertThat(run(service, "c")).contains("rcu_preempt/" + tid("rcu_preempt"));
      assertThat(run(service, "info b")).contains("there are no breakpoints");
    }
    assertThat(runs()).isTrue();
  }

  @Test
  void countsAndIgnores() {
    try (var session = attach()) {
      var service = commands(session);
      run(service, "::bp -n 0t20 _raw_spin_lock");
      assertThat(run(service, ":c")).contains("breakpoint 1: ");
      assertThat(session.control().breakpoint(1).hits()).isEqualTo(20);
    }
  }

  @Test
  void watchesAVariable() {
    try (var session = attach()) {
      var service = commands(session);
      run(service, "jiffies_64::wp");
      var told = run(service, ":c");
      var numbers = Pattern.compile("\\(0x([0-9a-f]+) -> 0x([0-9a-f]+)\\)").matcher(told);
      assertThat(numbers.find()).as(told).isTrue();
      assertThat(Long.parseUnsignedLong(numbers.group(2), 16))
          .isGreaterThan(Long.parseUnsignedLong(numbers.group(1), 16));
    }
  }

  @Test
  void stepsStayInTheirThread() {
    try (var session = attach()) {
      var service = commands(session);
      run(service, "tb schedule if comm == \"rcu_preempt\"");
      assertThat(run(service, "c")).contains("rcu_preempt/");
      for (int i = 0; i < 20; i++) {
        // Somewhere in here the thread sleeps, and wakes up on some CPU.
        assertThat(run(service, "ni")).contains("rcu_preempt/");
      }
      assertThat(run(service, "fin")).contains("stopped: rcu_preempt/");
    }
    assertThat(runs()).isTrue();
  }

  @Test
  void callsAFunctionAndTheGuestGoesOn() {
    guest.run("while sleep 0.1; do :; done & loop=$!");
    try (var session = attach()) {
      var service = commands(session);
      run(service, "tb schedule if comm == \"sleep\"");
      run(service, "c");
      var before = run(service, "::regs");
      assertThat(run(service, "::call get_random_u32")).containsPattern("(?m)^0?x?[0-9a-f]+$");
      assertThat(run(service, "::regs")).isEqualTo(before);
      for (var data : List.of("panic_timeout", "0x1000")) {
        assertThat(run(service, "::call " + data)).contains("no function at 0x");
      }
      run(service, "tb schedule if comm == \"sleep\"");
      assertThat(run(service, "c")).contains("sleep/");
    } finally {
      guest.run("kill $loop");
    }
    assertThat(runs()).isTrue();
  }

  @Test
  void fourCpusUnderLoadComeToOneBreakpoint() {
    guest.run("for i in 1 2 3; do dd if=/dev/zero of=/dev/null bs=512 & done");
    try (var session = attach();
        var later = Executors.newSingleThreadScheduledExecutor()) {
      var service = commands(session);
      run(service, "::bp vfs_read");
      var cpus = new TreeSet<Integer>();
      for (int hits = 1; hits <= 30; hits++) {
        assertThat(run(service, ":c")).contains("breakpoint 1: ").contains("vfs_read");
        assertThat(session.control().breakpoint(1).hits()).as("told once each").isEqualTo(hits);
        cpus.add(session.control().stoppedCpu().orElseThrow());
      }
      assertThat(cpus).hasSizeGreaterThan(1);
      run(service, ":z");
      run(service, "::bp -n 0t300 vfs_read");
      assertThat(run(service, ":c")).contains("breakpoint 2: ");
      assertThat(session.control().breakpoint(2).hits()).isEqualTo(300);
      run(service, ":z");
      run(service, "::bp -i 'comm == \"nobody\"' vfs_read");
      var asked = later.schedule(service::interrupt, 3, TimeUnit.SECONDS);
      assertThat(run(service, ":c")).contains("stopped by user");
      assertThat(asked.isDone()).isTrue();
      assertThat(session.control().breakpoint(3).hits()).isZero();
    }
    assertThat(runs()).isTrue();
    assertThat(guest.run("killall dd && echo all well")).contains("all well");
  }

  @Test
  void breaksInAModuleThatIsLoadedLater() throws Exception {
    guest.run("rmmod tun");
    try (var later = Executors.newSingleThreadScheduledExecutor()) {
      Future<String> loaded;
      try (var session = attach()) {
        var service = commands(session);
        assertThat(run(service, "b tun`tun_init")).contains("breakpoint 1");
        assertThat(run(service, "info b")).contains("tun`tun_init");
        loaded =
            later.schedule(
                () -> guest.run("insmod /lib/modules/tun.ko && echo it is in"),
                1,
                TimeUnit.SECONDS);
        assertThat(run(service, "c")).contains("breakpoint 1: insmod/").contains("tun`tun_init");
        assertThat(run(service, "bt")).contains("do_init_module");
      }
      assertThat(loaded.get(120, TimeUnit.SECONDS)).contains("it is in");
    }
    assertThat(runs()).isTrue();
  }

  /** In turn by both ways in, with a breakpoint that waits while the guest boots again. */
  @Test
  @Order(LAST)
  void aResetIsNoticedAndTheNewKernelFound() throws Exception {
    var where = freeAddress();
    try (var resetting =
        LAB.start(
            Recipe.healthy("6.12"), List.of("-gdb", "tcp:" + where, "-action", "reboot=reset"))) {
      int boots = 1;
      for (var each : List.of(where, "qemu:" + resetting.pid())) {
        long found;
        try (var session = attach(each);
            var later = Executors.newSingleThreadScheduledExecutor()) {
          var service = commands(session);
          assertThat(run(service, "::ps")).contains("kthreadd");
          run(service, "::bp panic");
          int expected = ++boots;
          var back =
              later.submit(
                  () -> {
                    resetting.guest().monitor().execute("system_reset", Map.of());
                    awaitBoots(resetting, expected);
                    service.interrupt();
                    return true;
                  });
          var stopped = run(service, ":c");
          assertThat(stopped).contains("stopped by user");
          assertThat(back.get()).isTrue();
          var listed = run(service, "::ps");
          assertThat(listed).contains("kthreadd");
          assertThat(stopped + listed)
              .containsOnlyOnce(
                  "the machine was reset or started another kernel; found Linux 6.12");
          assertThat(run(service, "::ps")).doesNotContain("reset").contains("kthreadd");
          run(service, ":z");
          run(service, "::bp -n 5 _raw_spin_lock");
          assertThat(run(service, ":c")).contains("breakpoint 2: ").contains("_raw_spin_lock");
          found = session.kernel().program().symbols().first("init_task").get().address();
        }
        assertThat(runs(resetting)).isTrue();
        assertThat(resetting.run("grep -w init_task /proc/kallsyms"))
            .contains(Long.toHexString(found) + " ");
      }
    }
  }

  private static void awaitBoots(LiveGuest guest, int count) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(300);
    while (guest.guest().console().text().split("LAB-READY", -1).length <= count) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      Thread.sleep(200);
    }
  }

  /** Kills the guest after a while; says whether that was begun. */
  private AtomicBoolean killTheGuest(ScheduledExecutorService later, int seconds) {
    var begun = new AtomicBoolean();
    var _ =
        later.schedule(
            () -> {
              begun.set(true);
              ProcessHandle.of(guest.pid()).ifPresent(ProcessHandle::destroyForcibly);
            },
            seconds,
            TimeUnit.SECONDS);
    return begun;
  }

  /** What is at work when the guest ends says so in a line, and does not wait. */
  @ParameterizedTest
  @ValueSource(strings = {"ps", "step", "attach"})
  @Order(LAST + 1)
  void theGuestEndsInTheMiddleOf(String work) {
    var address = "qemu:" + guest.pid();
    try (var later = Executors.newSingleThreadScheduledExecutor()) {
      AtomicBoolean killed;
      if (work.equals("attach")) {
        killed = killTheGuest(later, 3);
        var ended =
            catchThrowableOfType(
                FathomException.class,
                () -> {
                  while (true) {
                    attach(address).close();
                  }
                });
        assertThat(killed).as(ended.getMessage()).isTrue();
        assertThat(ended).hasMessageMatching("[^\n]*");
      } else {
        try (var session = attach(work.equals("ps") ? address : ControlLabTest.address)) {
          var service = commands(session);
          killed = killTheGuest(later, 1);
          var line = work.equals("ps") ? "::walk thread | ::findstack -v" : "::step";
          var live = session.target().find(Live.class).orElseThrow();
          var last = "";
          while (live.state() != Live.State.GONE) {
            last = run(service, line);
          }
          assertThat(run(service, line)).as(last).containsPattern("gone|ended|connection");
        }
      }
      assertThat(killed).isTrue();
    } finally {
      end(); // Its process may be there for a moment yet.
    }
  }

  @Test
  @Order(LAST)
  void catchesAPanic() {
    try (var session = attach();
        var later = Executors.newSingleThreadScheduledExecutor()) {
      var service = commands(session);
      run(service, "catch panic");
      var crashed = later.schedule(() -> guest.guest().sysrq('c'), 2, TimeUnit.SECONDS);
      assertThat(run(service, ":c")).contains("breakpoint 1 (catch panic)");
      assertThat(crashed.isDone()).isTrue();
      assertThat(run(service, "$c")).contains("sysrq_handle_crash");
    } finally {
      end();
    }
  }

  @Test
  @Order(LAST)
  void theGuestEndsInTheMiddle() {
    try (var session = attach();
        var later = Executors.newSingleThreadScheduledExecutor()) {
      var service = commands(session);
      run(service, "::bp panic");
      var killed = killTheGuest(later, 2);
      assertThat(run(service, ":c")).contains("ended");
      assertThat(killed).isTrue();
      assertThat(session.target().find(Live.class).orElseThrow().state())
          .isEqualTo(Live.State.GONE);
    } finally {
      end();
    }
  }

  @Test
  void theUserStopsItAndLeavesItRunning() {
    try (var session = attach();
        var later = Executors.newSingleThreadScheduledExecutor()) {
      var service = commands(session);
      run(service, "::bp panic");
      var asked = later.schedule(service::interrupt, 2, TimeUnit.SECONDS);
      assertThat(run(service, ":c")).contains("stopped by user");
      assertThat(asked.isDone()).isTrue();
      assertThat(runs()).isFalse();
    }
    assertThat(runs()).isTrue();
  }
}
