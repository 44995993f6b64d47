// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Datum.Align;
import dev.fathom.base.Datum.Column;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.session.control.Breakpoint;
import java.util.ArrayList;
import java.util.List;

/** The table of breakpoints and watchpoints, and one line about one. */
final class EventTable {
  private EventTable() {}

  static List<Item> of(Invocation call, List<Breakpoint> breakpoints) {
    var items = new ArrayList<Item>();
    if (breakpoints.isEmpty()) {
      call.remark("there are no breakpoints");
      return items;
    }
    items.add(
        Item.show(
            new Datum.Header(
                "events",
                List.of(
                    new Column("id", "ID", width(breakpoints), Align.RIGHT),
                    new Column("state", "STATE", 9, Align.LEFT),
                    new Column("kind", "KIND", 8, Align.LEFT),
                    new Column("hits", "HITS", 8, Align.RIGHT),
                    new Column("address", "ADDRESS", 16, Align.LEFT),
                    new Column("place", "PLACE", 24, Align.LEFT),
                    new Column("what", "", 0, Align.LEFT)))));
    for (var breakpoint : breakpoints) {
      items.add(Item.show(row(call, breakpoint)));
      places(call, breakpoint).forEach(row -> items.add(Item.show(row)));
    }
    return items;
  }

  /** Of the numbers: those of places are longer. */
  private static int width(List<Breakpoint> breakpoints) {
    int width = 3;
    for (var b : breakpoints) {
      int places = b.addresses().size();
      width = Math.max(width, places > 1 ? (b.id() + "." + places).length() : 0);
    }
    return width;
  }

  /** The places of one that has several, by numbers as gdb's {@code 2.1}. */
  private static List<Datum> places(Invocation call, Breakpoint b) {
    var rows = new ArrayList<Datum>();
    for (int i = 0; i < b.addresses().size() && b.addresses().size() > 1; i++) {
      long address = b.addresses().get(i);
      rows.add(
          new Datum.Row(
              List.of(
                  Cell.text(b.id() + "." + (i + 1)),
                  Cell.text(""),
                  Cell.text(""),
                  Cell.text(""),
                  Cell.address(address),
                  Cell.text(where(call, b, address)),
                  Cell.text(""))));
    }
    return rows;
  }

  /** {@code over(double) at n.cc:16}, {@code inl at n.cc:28 in main}. */
  private static String where(Invocation call, Breakpoint b, long address) {
    var symbols = call.program().symbols();
    var at = call.session().sources().activations(address);
    if (at.isEmpty()) {
      return symbols.text(address);
    }
    var meant = at.get(StopFrames.of(b.place(), at, address).orElse(0));
    // In C++ a symbol tells the parameters as well.
    var symbol = symbols.at(address).map(located -> located.symbol().name()).orElse("");
    var name = meant.inlined() || symbol.indexOf('(') < 0 ? meant.function() : symbol;
    return name
        + at.getFirst().line().map(line -> " at " + line.file() + ":" + line.line()).orElse("")
        + (meant.inlined() ? " in " + at.getLast().function() : "");
  }

  private static Datum row(Invocation call, Breakpoint b) {
    var cells = new ArrayList<Cell>();
    cells.add(Cell.decimal(b.id()));
    cells.add(Cell.text(!b.enabled() ? "disabled" : b.address().isEmpty() ? "waiting" : "enabled"));
    cells.add(Cell.text(kind(b)));
    cells.add(Cell.unsigned(b.hits()));
    cells.add(
        b.address().isPresent()
            ? Cell.address(b.address().getAsLong())
            : new Cell.Absent("nothing of that name is loaded"));
    cells.add(Cell.text(b.purpose().orElse(b.place().text())));
    cells.add(Cell.text(rest(call, b)));
    return new Datum.Row(cells);
  }

  static String kind(Breakpoint b) {
    return switch (b.kind()) {
      case SOFTWARE -> "code";
      case HARDWARE -> "hardware";
      case WRITE -> "write";
      case READ -> "read";
      case ACCESS -> "access";
    };
  }

  private static String rest(Invocation call, Breakpoint b) {
    var parts = new ArrayList<String>();
    if (!b.watches() && b.addresses().size() == 1) {
      long address = b.addresses().getFirst();
      if (call.session().sources().line(address).isPresent()) {
        var where = where(call, b, address);
        var named = b.place().text() + " at ";
        parts.add(where.startsWith(named) ? where.substring(named.length() - 3) : where);
      }
    }
    if (b.watches()) {
      parts.add(b.length() + (b.length() == 1 ? " byte" : " bytes"));
    }
    if (b.addresses().size() > 1) {
      parts.add(b.addresses().size() + " places");
    }
    if (b.temporary()) {
      parts.add("once");
    }
    if (b.disableOnHit()) {
      parts.add("then disabled");
    }
    b.condition().ifPresent(condition -> parts.add("if " + condition.text()));
    if (b.thread().isPresent()) {
      parts.add("thread " + Stops.name(call.kernel().task(b.thread().getAsLong())));
    }
    b.cpu().ifPresent(cpu -> parts.add("CPU " + cpu));
    if (b.ignore() > 0) {
      parts.add("ignore next " + b.ignore());
    }
    for (var command : b.commands()) {
      parts.add("-c '" + command + "'");
    }
    return String.join(", ", parts);
  }

  /** {@code breakpoint 1 at vfs_read}. */
  static Item added(Breakpoint b) {
    String where =
        b.address().isPresent()
            ? " at "
                + b.purpose().map(p -> b.place().text() + " (" + p + ")").orElse(b.place().text())
            : " waits for " + b.place().text();
    if (b.addresses().size() > 1) {
      where += " (" + b.addresses().size() + " places)";
    }
    var fields = new ArrayList<Datum.Field>();
    fields.add(new Datum.Field("id", "", Cell.decimal(b.id())));
    fields.add(new Datum.Field("kind", "", Cell.text(kind(b))));
    b.address().ifPresent(a -> fields.add(new Datum.Field("address", "", Cell.address(a))));
    return Item.show(
        new Datum.Fact(
            (b.watches() ? "watchpoint " : b.temporary() ? "temporary breakpoint " : "breakpoint ")
                + b.id()
                + where,
            fields));
  }
}
