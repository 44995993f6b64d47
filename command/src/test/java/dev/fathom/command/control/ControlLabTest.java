// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Real guests under QEMU's emulation, four CPUs of which one is always busy in user mode. */
@Tag("lab")
@Timeout(600)
class ControlLabTest {
  private static final Lab LAB = Lab.open();

  private LiveGuest guest;
  private String address;

  @BeforeEach
  void boot() throws IOException {
    try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      address = "127.0.0.1:" + free.getLocalPort();
    }
    guest =
        LAB.start(Recipe.healthy("6.1").withCpus(4).spinning(), List.of("-gdb", "tcp:" + address));
  }

  @AfterEach
  void end() {
    guest.close();
  }

  private Session attach() {
    return Session.attach(
        address, AttachOptions.DEFAULT, new KernelOptions(Optional.empty(), true, Progress.NONE));
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
      run(service, "tb schedule if comm == rcu_preempt");
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
    try (var session = attach()) {
      var service = commands(session);
      run(service, "tb schedule if comm == rcu_preempt");
      run(service, "c");
      var before = run(service, "::regs");
      assertThat(run(service, "::call get_random_u32")).containsPattern("(?m)^0?x?[0-9a-f]+$");
      assertThat(run(service, "::regs")).isEqualTo(before);
      run(service, "tb schedule if comm == rcu_preempt");
      assertThat(run(service, "c")).contains("rcu_preempt/");
    }
    assertThat(runs()).isTrue();
  }

  @Test
  void catchesAPanic() {
    try (var session = attach();
        var later = Executors.newSingleThreadScheduledExecutor()) {
      var service = commands(session);
      run(service, "catch panic");
      var crashed = later.schedule(() -> guest.guest().sysrq('c'), 2, TimeUnit.SECONDS);
      assertThat(run(service, ":c")).contains("breakpoint 1 (catch panic)");
      assertThat(crashed.isDone()).isTrue();
      assertThat(run(service, "$c")).contains("sysrq_handle_crash");
    }
  }

  @Test
  void theGuestEndsInTheMiddle() {
    try (var session = attach();
        var later = Executors.newSingleThreadScheduledExecutor()) {
      var service = commands(session);
      run(service, "::bp panic");
      var killed =
          later.schedule(
              () -> ProcessHandle.of(guest.pid()).map(ProcessHandle::destroyForcibly),
              2,
              TimeUnit.SECONDS);
      assertThat(run(service, ":c")).contains("ended");
      assertThat(killed.isDone()).isTrue();
      assertThat(session.target().find(Live.class).orElseThrow().state())
          .isEqualTo(Live.State.GONE);
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
