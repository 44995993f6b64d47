// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Frames;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.StackView;
import dev.fathom.command.Tasks;
import dev.fathom.model.Registers;
import dev.fathom.model.Value;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.model.unwind.Frame;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** {@code ::stack}, {@code $c} and {@code $C}. */
final class StackCommand implements Command {
  private final Datum.Detail detail;

  StackCommand(Datum.Detail detail) {
    this.detail = detail;
  }

  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("stack", "print stack backtrace")
        .alias("$c")
        .alias("$C")
        .addressOptional()
        .arguments("[count]")
        .help(
            """
            Shows the stack of the selected thread, or of the one that panicked; with an address in
            front, the stack from the frame at that address (where a frame pointer points), or that
            of the thread with that id or structure from a pipe. `$c` is the same; `$C` also shows
            the address of each frame. At most `count` frames are shown.

                > $C
                > <rbp::stack
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(0, 1);
    var trace = trace(call);
    if (args.count() == 1) {
      long count = call.number(args.operands().getFirst());
      int most = Math.clamp(count, 0, trace.frames().size());
      if (most == count) {
        List<Frame> shown = trace.frames().subList(0, most);
        trace = new Backtrace(shown, Backtrace.End.COMPLETE, "", Optional.empty());
      }
    }
    StackView.check(call, trace);
    return Stream.of(
        Item.show(
            StackView.of(
                call.program(), trace, "", OptionalLong.empty(), detail, Datum.Style.MDB)));
  }

  private static Backtrace trace(Invocation call) {
    boolean frame =
        call.hasAddress() && call.object() instanceof Value.Imm && Tasks.isAddress(call.address());
    return frame
        ? call.kernel().stack(fromFrame(call, call.address()))
        : Frames.walk(call.session(), Tasks.current(call));
  }

  /** The caller's registers, from a saved frame pointer and the return address above it. */
  private static Registers fromFrame(Invocation call, long frame) {
    var memory = call.program().memory();
    var file = call.program().architecture().registers();
    int word = memory.layout().wordBytes();
    return Registers.none(file)
        .with(file.fp(), memory.pointer(frame))
        .with(file.pc(), memory.pointer(frame + word))
        .with(file.sp(), frame + 2L * word);
  }
}
