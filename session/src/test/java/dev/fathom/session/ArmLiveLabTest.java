// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.kernel.KernelCpu;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.kernel.Task;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.target.AttachOptions;
import dev.fathom.testkit.lab.Board;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.LiveGuest;
import dev.fathom.testkit.lab.Recipe;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Guests of 64-bit Arm that run: through QEMU's gdb stub, and their memory in place. */
@Tag("lab")
@Timeout(600)
class ArmLiveLabTest {
  private static final Lab LAB = Lab.open();

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(names = {"ARM", "ARM_A57"})
  void theKernelIsFoundBothWays(Board board) {
    Path stub = folder.resolve("gdb");
    Recipe recipe = Recipe.healthy("6.12").on(board);
    List<String> more = List.of("-gdb", "unix:" + stub + ",server=on,wait=off");
    try (LiveGuest guest = LAB.start(recipe, more)) {
      for (String address : List.of(stub.toString(), "qemu:" + guest.pid())) {
        var options = new KernelOptions(Optional.empty(), true, Progress.NONE);
        try (Session session = Session.attach(address, AttachOptions.DEFAULT, options)) {
          check(session, guest);
        }
      }
    }
  }

  private static void check(Session session, LiveGuest guest) {
    var kernel = session.kernel();
    assertThat(session.target().architecture()).isEqualTo("aarch64");
    assertThat(kernel.program().symbols().first("init_task").orElseThrow().address())
        .isEqualTo(guest.facts().symbol("init_task").orElseThrow());
    List<Task> tasks = kernel.tasks(_ -> {}).toList();
    assertThat(tasks)
        .extracting(Task::name)
        .contains("swapper/0", "init", "kthreadd", "lab-thread");
    assertThat(kernel.images()).extracting(image -> image.name()).contains("virtio_blk", "tun");
    for (Task task : tasks) {
      if (task.name().equals("sleep")) {
        Backtrace stack = kernel.stack(task);
        assertThat(stack.end()).as(stack.why()).isEqualTo(Backtrace.End.COMPLETE);
        assertThat(stack.why()).startsWith("entry from user mode: system call");
        assertThat(kernel.userSpace(task)).isPresent();
      }
    }
    for (KernelCpu cpu : kernel.cpus()) {
      var registers = cpu.registers().orElseThrow();
      assertThat(registers.pc()).isPresent();
      assertThat(registers.get(Aarch64.PSTATE)).isPresent();
    }
  }
}
