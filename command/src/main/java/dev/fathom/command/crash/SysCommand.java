// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Datum.Align;
import dev.fathom.base.Datum.Column;
import dev.fathom.base.LookupException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.Symbol;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** {@code sys}. */
final class SysCommand implements Command {
  private static final int LABEL_WIDTH = 14;

  /** More system calls than any kernel has. */
  private static final int CALL_LIMIT = 4096;

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("sys", "facts of the system and the dump")
        .flag('c', "the table of system calls: all, those with the text in their name, or one")
        .arguments("[-c [text | number]]")
        .help(
            """
            Shows where the dump comes from and what the kernel says of itself: release, uptime,
            CPUs, tasks, the message of its panic.

                > sys
                      DUMPFILE vmcore
                        FORMAT ELF vmcore
                > sys -c read
                NUM  SYSTEM CALL
                  0  __x64_sys_read
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    if (call.args().has('c')) {
      return calls(call);
    }
    call.args().expect(0, 0);
    var info = call.session().target().info();
    var fields = new ArrayList<Datum.Field>();
    fields.add(new Datum.Field("dumpfile", "DUMPFILE", Cell.text(info.name())));
    fields.add(new Datum.Field("format", "FORMAT", Cell.text(info.format())));
    fields.addAll(info.facts());
    fields.addAll(call.kernel().facts());
    if (fields.stream().noneMatch(field -> field.key().equals("cpus"))) {
      fields.add(new Datum.Field("cpus", "CPUS", Cell.decimal(call.kernel().cpus().size())));
    }
    fields.add(new Datum.Field("tasks", "TASKS", Cell.decimal(call.kernel().tasks(call).count())));
    fields.replaceAll(f -> new Datum.Field(f.key(), f.label().toUpperCase(Locale.ROOT), f.value()));
    return Stream.of(Item.show(new Datum.Fields("system", fields, LABEL_WIDTH)));
  }

  /**
   * {@code sys_call_table} is an array of functions, indexed by the number of the call
   * (arch/x86/entry/syscall_64.c; since 6.9 only tracing reads it, but it is there).
   */
  private static Stream<Item> calls(Invocation call) {
    var args = call.args().expect(0, 1);
    var table = Crash.symbol(call.program(), "sys_call_table");
    var memory = call.program().memory();
    int word = memory.layout().wordBytes();
    var wanted = args.isEmpty() ? "" : args.word(0);
    var number = Crash.number(wanted);
    var header =
        new Datum.Header(
            "calls",
            List.of(
                new Column("number", "NUM", 3, Align.RIGHT),
                new Column("call", "SYSTEM CALL", 0, Align.LEFT)));
    var rows = new ArrayList<Item>();
    rows.add(Item.show(header));
    for (long i = 0; i < Math.min(table.size() / word, CALL_LIMIT); i++) {
      long function = memory.pointer(table.address() + i * word);
      var located = call.program().symbols().at(function);
      if (located.isEmpty() || located.get().symbol().kind() != Symbol.Kind.TEXT) {
        // Behind the table's last entry is padding up to the next symbol.
        break;
      }
      var name = located.get().text();
      if (number.isPresent() ? number.getAsLong() == i : name.contains(wanted)) {
        rows.add(
            Item.show(new Datum.Row(List.of(Cell.decimal(i), new Cell.Symbolic(function, name)))));
      }
    }
    if (rows.size() == 1) {
      throw new LookupException("system call", wanted);
    }
    return rows.stream();
  }
}
