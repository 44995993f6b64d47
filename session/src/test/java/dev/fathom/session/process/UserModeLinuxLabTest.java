// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.Cell;
import dev.fathom.base.TargetException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.LogEntry;
import dev.fathom.kernel.Progress;
import dev.fathom.kernel.Task;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.session.Session;
import dev.fathom.session.control.Breakpoint;
import dev.fathom.session.control.StopEvent;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.Breakpoints;
import dev.fathom.target.ProcessView;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.UserModeLinux;
import dev.fathom.testkit.process.CProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A Linux that runs as a process, without any debug information, beside what it says of itself. */
@Tag("lab")
@Timeout(300)
class UserModeLinuxLabTest {
  private static final KernelOptions OPTIONS =
      new KernelOptions(Optional.empty(), true, Progress.NONE);

  @TempDir static Path directory;
  private static UserModeLinux guest;

  @BeforeAll
  static void start() {
    guest = Lab.open().userModeLinux(directory);
  }

  @AfterAll
  static void stop() {
    guest.close();
  }

  private static Session attach() {
    return Session.attach("pid:" + guest.pid(), AttachOptions.DEFAULT, OPTIONS);
  }

  /** Name and parent by number, as its own ps printed them. */
  private static Map<Long, String> listed() {
    var tasks = new HashMap<Long, String>();
    for (String line : guest.output("ps").lines().skip(1).toList()) {
      String[] fields = line.strip().split(" +", 3);
      // ps itself is gone, idle workers go.
      if (!fields[2].equals("ps") && !fields[2].startsWith("kworker/")) {
        tasks.put(Long.parseLong(fields[0]), fields[1] + " " + fields[2]);
      }
    }
    return tasks;
  }

  private static Map<Long, String> found(Kernel kernel) {
    var tasks = new HashMap<Long, String>();
    kernel
        .tasks(_ -> {})
        .forEach(
            task ->
                tasks.put(
                    task.id().orElseThrow(), task.parent().orElseThrow() + " " + task.name()));
    return tasks;
  }

  @Test
  void listsItsOwnTasksAndNotTheHosts() {
    try (var session = attach()) {
      var kernel = session.kernel();
      assertThat(kernel.os()).isEqualTo("Linux");
      var facts = kernel.facts();
      assertThat(facts.getFirst().value())
          .isEqualTo(Cell.text(guest.output("version").split(" ", -1)[2]));
      assertThat(listed()).hasSizeGreaterThan(20);
      var tasks = found(kernel);
      assertThat(tasks).containsAllEntriesOf(listed());
      var view = session.target().find(ProcessView.class).orElseThrow();
      assertThat(view.threads()).hasSize(1);
      assertThat(tasks.keySet()).doesNotContain(guest.pid());
      assertThat(guest.process().status("TracerPid")).isEqualTo("0");
    }
  }

  @Test
  void readsItsLog() {
    try (var session = attach()) {
      var log = session.kernel().log(_ -> {}).map(LogEntry::text).toList();
      var own = guest.output("dmesg").lines().toList();
      assertThat(own).hasSizeGreaterThan(50);
      assertThat(log.size()).isGreaterThanOrEqualTo(own.size());
      for (int i = 0; i < own.size(); i++) {
        assertThat(own.get(i).strip()).endsWith(log.get(i).strip());
      }
    }
  }

  @Test
  void stacksOfAllTasksAreComplete() {
    try (var session = attach()) {
      session.begin();
      var control = session.control();
      control.stop();
      session.refresh();
      // Not in the middle of a switch from one task to another.
      control.add(
          new Breakpoint.Named("vfs_write", 0, "vfs_write"),
          Breakpoints.Kind.SOFTWARE,
          1,
          Optional.empty());
      control.proceed();
      var kernel = session.kernel();
      for (Task task : kernel.tasks(_ -> {}).toList()) {
        var trace = kernel.stack(task);
        assertThat(trace.end())
            .as(task.name() + ": " + trace.why())
            .isEqualTo(Backtrace.End.COMPLETE);
        var names =
            trace.frames().stream()
                .map(frame -> kernel.program().symbols().text(frame.lookup()))
                .toList();
        if (task.name().equals("kthreadd")) {
          assertThat(names).anyMatch(name -> name.startsWith("kthreadd+"));
        }
        if (task.hasId(1)) {
          assertThat(names).anyMatch(name -> name.startsWith("userspace+"));
        }
      }
      session.end();
    }
  }

  @Test
  void stopsAtABreakpointInTheKernelAndGoesOn() {
    try (var session = attach()) {
      session.begin();
      var control = session.control();
      control.stop();
      session.refresh();
      var breakpoint =
          control.add(
              new Breakpoint.Named("vfs_write", 0, "vfs_write"),
              Breakpoints.Kind.SOFTWARE,
              1,
              Optional.empty());
      for (int i = 0; i < 10; i++) {
        // Its timer's signals and page faults go by.
        var event = control.proceed();
        assertThat(event.cause()).isEqualTo(new StopEvent.AtBreakpoint(List.of(breakpoint)));
        assertThat(event.thread().map(Task::name)).contains("sh");
        var trace = session.kernel().stack(event.thread().orElseThrow());
        assertThat(trace.frames().size()).isGreaterThan(3);
      }
      session.end();
    }
    int before = guest.output("ticks").length();
    guest.process().await("work", () -> guest.output("ticks").length() > before);
    assertThat(guest.process().status("TracerPid")).isEqualTo("0");
  }

  @Test
  void itsMemoryAloneIsEnough() {
    var how = AttachOptions.DEFAULT.reading(Optional.empty());
    try (var session = Session.attach("pid:" + guest.pid(), how, OPTIONS)) {
      assertThat(found(session.kernel())).containsAllEntriesOf(listed());
      assertThatThrownBy(session::control).isInstanceOf(UnsupportedException.class);
    }
  }

  /**
   * As {@code fathom open /proc/PID/mem --kernel FILE}; the copy is not where the process has it.
   */
  @Test
  void itsProgramIsGivenBesideItsMemory() throws IOException {
    var own = Path.of("/proc/" + guest.pid() + "/exe").toRealPath();
    var copy = Files.copy(own, directory.resolve("copy"));
    var how = AttachOptions.DEFAULT.reading(Optional.of(copy));
    try (var session = Session.attach("pid:" + guest.pid(), how, OPTIONS)) {
      var kernel = session.kernel();
      assertThat(found(kernel)).containsAllEntriesOf(listed());
      assertThat(kernel.program().symbols().first("start_kernel")).isPresent();
      assertThat(kernel.warnings()).noneMatch(said -> said.contains("another build"));
      assertThatThrownBy(session::control).isInstanceOf(UnsupportedException.class);
      assertThat(guest.process().status("TracerPid")).isEqualTo("0");
    }
  }

  @Test
  void aProgramOfAnotherBuildIsRefused() {
    var other =
        CProgram.compile(directory, "other", "int main(void) { return 0; }", "-Wl,--build-id=sha1");
    var how = AttachOptions.DEFAULT.reading(Optional.of(other.file()));
    assertThatThrownBy(() -> Session.attach("pid:" + guest.pid(), how, OPTIONS))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining(other.file() + ": of another build: has build-id ");
  }
}
