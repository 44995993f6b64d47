// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.kernel;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Datum.Align;
import dev.fathom.base.Datum.Column;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.kernel.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** {@code ::thread}. */
final class ThreadCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("thread", "display a summary of a thread")
        .addressOptional()
        .accepts("struct task_struct")
        .yields("struct task_struct")
        .help(
            """
            Shows a thread: the address of its structure, its state, whether it is on a CPU now,
            the CPU, its ids and its name. Without an address all threads are listed.

                > ffff888003858000::thread
                > ::walk thread | ::thread
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    var kernel = call.kernel();
    var tasks =
        call.hasAddress() ? Stream.of(kernel.task(call.object().address())) : kernel.tasks(call);
    if (call.toPipe()) {
      return tasks.map(task -> Item.value(task.object()));
    }
    boolean[] begun = {!call.first()};
    return tasks.flatMap(
        task -> {
          var details = kernel.details(task);
          var items = new ArrayList<Item>(2);
          if (!begun[0]) {
            items.add(Item.show(header(details)));
            begun[0] = true;
          }
          items.add(Item.show(row(task, details)));
          return items.stream();
        });
  }

  private static Datum.Header header(List<Datum.Field> details) {
    var columns = new ArrayList<Column>();
    columns.add(new Column("addr", "ADDR", 16, Align.RIGHT));
    columns.add(new Column("state", "STATE", 5, Align.LEFT));
    columns.add(new Column("running", "RUN", 5, Align.LEFT));
    columns.add(new Column("cpu", "CPU", 3, Align.RIGHT));
    columns.add(new Column("tid", "TID", 6, Align.RIGHT));
    columns.add(new Column("pid", "PID", 6, Align.RIGHT));
    for (var field : details) {
      columns.add(new Column(field.key(), field.label().toUpperCase(Locale.ROOT), 6, Align.RIGHT));
    }
    columns.add(new Column("name", "NAME", 0, Align.LEFT));
    return new Datum.Header("threads", columns);
  }

  private static Datum.Row row(Task task, List<Datum.Field> details) {
    var cells = new ArrayList<Cell>();
    cells.add(Cell.address(task.object().address()));
    cells.add(Cell.text(String.valueOf(task.state())));
    cells.add(new Cell.Flag(task.running()));
    cells.add(
        task.cpu().isPresent()
            ? Cell.decimal(task.cpu().getAsInt())
            : new Cell.Absent("CPU not known"));
    cells.add(Cell.decimal(task.id(), "not readable"));
    cells.add(Cell.decimal(task.process(), "not readable"));
    for (var field : details) {
      cells.add(field.value());
    }
    cells.add(Cell.text(task.name()));
    return new Datum.Row(cells);
  }
}
