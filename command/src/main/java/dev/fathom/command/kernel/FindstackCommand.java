// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.kernel;

import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Frames;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.StackView;
import dev.fathom.command.Tasks;
import dev.fathom.kernel.Task;
import dev.fathom.model.unwind.Backtrace;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** {@code ::findstack}. */
final class FindstackCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("findstack", "find kernel thread stack")
        .addressOptional()
        .accepts("struct task_struct")
        .flag('v', "also show each frame's size, how it was found, and why the stack ended")
        .help(
            """
            Shows the kernel stack of a thread: of a running one from its CPU's registers, of a
            sleeping one from the registers saved when it was switched out. Without an address it
            shows the thread that panicked, or else the one that runs on the first CPU.

            Each frame says how it was found: `registers`, `orc`, `cfi`, `exception`, `tail-call`,
            `frame-pointer` or `scan`; words found by scanning may be stale. A `tail-call` frame is of
            a function that has left the stack to the one that it called last.

                > ::walk thread | ::findstack -v
                > 0t1::pid2task | ::findstack
                stack pointer for thread ffff888003858000 (init/1): ffffc90000013d18
                [ ffffc90000013d18 __schedule+0x351 ]
                  ffffc90000013d98 schedule+0x5a
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    var kernel = call.kernel();
    var task = call.hasAddress() ? kernel.task(call.object().address()) : Tasks.selected(call);
    var trace = Frames.walk(call.session(), task);
    StackView.check(call, trace);
    var detail = call.args().has('v') ? Datum.Detail.FULL : Datum.Detail.FRAMES;
    return Stream.of(
        Item.show(
            StackView.of(
                call.program(),
                trace,
                title(task, trace),
                OptionalLong.of(task.object().address()),
                detail,
                Datum.Style.MDB)));
  }

  private static String title(Task task, Backtrace trace) {
    var thread =
        "thread "
            + Long.toHexString(task.object().address())
            + " ("
            + task.name()
            + "/"
            + task.idText()
            + ")";
    if (trace.frames().isEmpty()) {
      return "no stack for " + thread + ": " + trace.why();
    }
    var sp = trace.frames().getFirst().registers().sp();
    return "stack pointer for "
        + thread
        + ": "
        + (sp.isPresent() ? Long.toHexString(sp.getAsLong()) : "unknown");
  }
}
