// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.source;

import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.command.CExpression;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Frames;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.CxxNames;
import dev.fathom.model.source.SourceFrame;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;
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
                  .arguments("[[level] number | function name | address pc]");
          case "up" ->
              CommandSpec.crash("up", "select the frame that called the selected one")
                  .arguments("[count]");
          default ->
              CommandSpec.crash("down", "select the frame that the selected one called")
                  .arguments("[count]");
        };
    return spec.reading(CommandSpec.Reading.EXPRESSION)
        .help(
            """
            Chooses the frame whose locals (`info locals`), arguments (`info args`) and registers
            expressions see, and shows it with its line of source where that is found. Numbers are
            those of `bt`; inlined functions have frames of their own. `frame function` takes the
            innermost frame of that function, `frame address` that which is at a place in the code or
            has this canonical frame address. Choosing a task chooses its innermost frame.

                > frame 2
                #2  0xffffffff8134cc90 in vfs_read (file=0xffff888003a1c600, ...) at fs/read_write.c:458
                > frame function vfs_read
                > up
                > down 2
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    boolean frame = name.equals("frame");
    var args = call.args().expect(0, frame ? 2 : 1);
    var frames = Frames.selectedStack(call);
    int now = call.environment().selectedFrame();
    long number =
        args.isEmpty()
            ? (frame ? now : 1)
            : args.count() == 2 ? number(call, frames) : decimal(args.word(0));
    long wanted =
        switch (name) {
          case "frame" -> number;
          case "up" -> Math.min(now + number, frames.size() - 1L);
          default -> Math.max(now - number, 0);
        };
    if (wanted == now && !frame) {
      throw new EvalException(
          name.equals("up")
              ? "the outermost frame is selected; there is none above"
              : "the innermost frame is selected; there is none below");
    }
    if (wanted < 0 || wanted >= frames.size()) {
      throw new EvalException("no frame " + number + ": the stack has " + frames.size());
    }
    call.environment().selectFrame((int) wanted);
    var selected = frames.get((int) wanted);
    call.moveDot(selected.frame().pc());
    return FrameText.withLine(call, selected).stream();
  }

  /** The number of the frame that two words mean. */
  private static long number(Invocation call, List<SourceFrame> frames) {
    var how = call.args().word(0);
    var what = call.args().word(1);
    return switch (how) {
      case "level" -> decimal(what);
      case "function" ->
          first(
              frames,
              frame -> FrameText.function(call, frame).filter(f -> isOf(f, what)).isPresent(),
              () -> new LookupException("frame of function", what));
      case "address" -> {
        long address = CExpression.evaluate(call, what).asLong();
        yield first(
            frames,
            frame -> frame.frame().pc() == address || frame.frame().cfa() == address,
            () -> new EvalException("no frame is at 0x" + Long.toHexString(address)));
      }
      default ->
          throw new UsageException("'" + how + "': level, function or address comes before one");
    };
  }

  /** Whether a frame's function is meant by {@code name}: as shown, or without its scopes. */
  private static boolean isOf(String function, String name) {
    var plain = CxxNames.withoutParameters(function);
    return function.equals(name) || plain.equals(name) || plain.endsWith("::" + name);
  }

  private static long first(
      List<SourceFrame> frames,
      Predicate<SourceFrame> wanted,
      Supplier<? extends FathomException> none) {
    return frames.stream().filter(wanted).findFirst().orElseThrow(none).number();
  }

  static long decimal(String text) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new UsageException("'" + text + "' is not a decimal number");
    }
  }
}
