// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.gdb;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.UnsupportedException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.target.ProcessView;
import dev.fathom.target.SignalControl;
import dev.fathom.target.SignalNames;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** gdb's {@code info proc} and {@code info signals}. */
final class ProcessTopics {
  private static final int LAST_SIGNAL = 64;

  private ProcessTopics() {}

  /** What the kernel below tells of the process: all, or one thing of it. */
  static Stream<Item> process(Invocation call, String what) {
    var view =
        call.session()
            .target()
            .find(ProcessView.class)
            .orElseThrow(() -> new UnsupportedException("the target is no process"));
    if (!what.isEmpty() && "mappings".startsWith(what)) {
      return call.execute("::mappings");
    }
    boolean all = what.isEmpty() || what.equals("all");
    var lines = new ArrayList<Item>();
    lines.add(fact("process " + view.process(), "pid", Cell.decimal(view.process())));
    if (all || what.equals("cmdline")) {
      var words = String.join(" ", view.arguments());
      lines.add(fact("cmdline = '" + words + "'", "cmdline", Cell.text(words)));
    }
    if (all || what.equals("cwd")) {
      view.directory()
          .ifPresent(path -> lines.add(fact("cwd = '" + path + "'", "cwd", Cell.text(path))));
    }
    if (all || what.equals("exe")) {
      view.program()
          .ifPresent(path -> lines.add(fact("exe = '" + path + "'", "exe", Cell.text(path))));
    }
    if (!all && lines.size() == 1 && !List.of("cwd", "exe").contains(what)) {
      throw new UsageException("'" + what + "': mappings, cmdline, cwd, exe or all");
    }
    return what.equals("all")
        ? Stream.concat(lines.stream(), call.execute("::mappings"))
        : lines.stream();
  }

  private static Item fact(String text, String key, Cell value) {
    return Item.show(new Datum.Fact(text, List.of(new Datum.Field(key, "", value))));
  }

  /** Which signals stop the process before they are delivered, as {@code handle} sets it. */
  static Stream<Item> signals(Invocation call, String which) {
    var control =
        call.session()
            .target()
            .find(SignalControl.class)
            .orElseThrow(
                () -> new UnsupportedException("signals are a process's, not this target's"));
    int one = which.isEmpty() ? 0 : SignalNames.number(which);
    if (!which.isEmpty() && one == 0) {
      throw new UsageException("'" + which + "' is no signal");
    }
    var header =
        new Datum.Header(
            "signals",
            List.of(
                new Datum.Column("number", "", 6, Datum.Align.RIGHT),
                new Datum.Column("signal", "SIGNAL", 12, Datum.Align.LEFT),
                new Datum.Column("stop", "STOP", 4, Datum.Align.LEFT)));
    var passed = control.passed();
    return Stream.concat(
        Stream.of(Item.show(header)),
        IntStream.rangeClosed(1, LAST_SIGNAL)
            .filter(signal -> one == 0 || one == signal)
            .mapToObj(
                signal ->
                    Item.show(
                        new Datum.Row(
                            List.of(
                                Cell.decimal(signal),
                                Cell.text(SignalNames.of(signal)),
                                Cell.text(passed.contains(signal) ? "no" : "yes"))))));
  }
}
