// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.source;

import dev.fathom.base.EvalException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Frames;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** gdb's {@code frame}, {@code up} and {@code down}. */
final class FrameCommand implements Command {
  private final String name;

  FrameCommand(String name) {
    this.name = name;
  }

  @Override
  public CommandSpec spec() {
    var spec =
        switch (name) {
          case "frame" ->
              CommandSpec.crash("frame", "select a frame of the selected task's stack")
                  .alias("f")
                  .arguments("[number]");
          case "up" ->
              CommandSpec.crash("up", "select the frame that called the selected one")
                  .arguments("[count]");
          default ->
              CommandSpec.crash("down", "select the frame that the selected one called")
                  .arguments("[count]");
        };
    return spec.help(
        """
        Chooses the frame whose locals (`info locals`), arguments (`info args`) and registers
        expressions see, and shows it with its line of source where that is found. Numbers are
        those of `bt`; inlined functions have frames of their own. Choosing a task chooses its
        innermost frame.

            > frame 2
            #2  0xffffffff8134cc90 in vfs_read (file=0xffff888003a1c600, ...) at fs/read_write.c:458
            > up
            > down 2
        """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(0, 1);
    var frames = Frames.selectedStack(call);
    int now = call.environment().selectedFrame();
    long number = args.isEmpty() ? (name.equals("frame") ? now : 1) : decimal(args.word(0));
    long wanted =
        switch (name) {
          case "frame" -> number;
          case "up" -> Math.min(now + number, frames.size() - 1L);
          default -> Math.max(now - number, 0);
        };
    if (wanted == now && !name.equals("frame")) {
      throw new EvalException(
          name.equals("up")
              ? "the outermost frame is selected; there is none above"
              : "the innermost frame is selected; there is none below");
    }
    if (wanted < 0 || wanted >= frames.size()) {
      throw new EvalException("no frame " + number + ": the stack has " + frames.size());
    }
    call.environment().selectFrame((int) wanted);
    var frame = frames.get((int) wanted);
    call.moveDot(frame.frame().pc());
    return FrameText.withLine(call, frame).stream();
  }

  static long decimal(String text) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new UsageException("'" + text + "' is not a decimal number");
    }
  }
}
