// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.kernel;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Datum.Align;
import dev.fathom.base.Datum.Column;
import dev.fathom.command.Item;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The table of {@code ::ps} and {@code ::pgrep}: {@code S PID [TID] PPID … ADDR NAME}. */
final class TaskTable {
  private final Kernel kernel;
  private final boolean threads;
  private boolean begun;

  TaskTable(Kernel kernel, boolean threads) {
    this.kernel = kernel;
    this.threads = threads;
  }

  /** The row of {@code task}, behind the header when it is the first. */
  List<Item> row(Task task) {
    var details = kernel.details(task);
    var items = new ArrayList<Item>(2);
    if (!begun) {
      items.add(Item.show(header(details)));
      begun = true;
    }
    var cells = new ArrayList<Cell>();
    cells.add(Cell.text(String.valueOf(task.state())));
    cells.add(Cell.decimal(task.process(), "not readable"));
    if (threads) {
      cells.add(Cell.decimal(task.id(), "not readable"));
    }
    cells.add(Cell.decimal(task.parent(), "not readable"));
    for (var field : details) {
      cells.add(field.value());
    }
    cells.add(Cell.address(task.object().address()));
    cells.add(Cell.text(task.name()));
    items.add(Item.show(new Datum.Row(cells)));
    return items;
  }

  private Datum.Header header(List<Datum.Field> details) {
    var columns = new ArrayList<Column>();
    columns.add(new Column("state", "S", 1, Align.LEFT));
    columns.add(new Column("pid", "PID", 6, Align.LEFT));
    if (threads) {
      columns.add(new Column("tid", "TID", 6, Align.LEFT));
    }
    columns.add(new Column("ppid", "PPID", 6, Align.LEFT));
    for (var field : details) {
      boolean number =
          field.value() instanceof Cell.Int(_, var radix, _, _) && radix == Cell.Radix.DECIMAL;
      columns.add(
          new Column(
              field.key(), field.label().toUpperCase(Locale.ROOT), number ? 6 : 10, Align.LEFT));
    }
    columns.add(new Column("addr", "ADDR", 16, Align.LEFT));
    columns.add(new Column("name", "NAME", 0, Align.LEFT));
    return new Datum.Header("tasks", columns);
  }
}
