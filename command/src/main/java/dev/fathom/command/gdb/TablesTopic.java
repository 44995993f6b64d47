// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.gdb;

import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.FaultException;
import dev.fathom.base.UsageException;
import dev.fathom.command.CExpression;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.lang.VirtualTables;
import dev.fathom.model.Program;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.PointerType;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** gdb's {@code info vtbl}: the virtual functions that an object has. */
final class TablesTopic {
  /** Functions that are shown. */
  private static final int MOST = 10_000;

  private TablesTopic() {}

  static Stream<Item> of(Invocation call, String expression) {
    if (expression.isEmpty()) {
      throw new UsageException("an object, or a pointer to one, is needed");
    }
    var value = CExpression.evaluate(call, expression).referred();
    if (value.type().resolved() instanceof PointerType) {
      value = value.deref();
    }
    var tables =
        value instanceof Value.Ref ref && ref.type().resolved() instanceof CompositeType
            ? VirtualTables.of(ref)
            : List.<VirtualTables.Table>of();
    if (tables.isEmpty()) {
      throw new EvalException("this object does not have a virtual function table");
    }
    var lines = new ArrayList<Item>();
    long shown = 0;
    for (var table : tables) {
      if (!lines.isEmpty()) {
        lines.add(line(""));
      }
      lines.add(
          line(
              "vtable for '"
                  + table.part().type().resolved().text()
                  + "' @ "
                  + hex(table.address())
                  + " (subobject @ "
                  + hex(table.part().address())
                  + "):"));
      for (long i = 0; i < table.functions(); i++) {
        if (shown++ == MOST) {
          lines.add(line("(more than " + MOST + " functions: the rest is left out)"));
          return lines.stream();
        }
        call.checkInterrupt();
        lines.add(line("[" + i + "]: " + function(call.program(), table.address(), i)));
      }
    }
    return lines.stream();
  }

  private static String function(Program program, long table, long slot) {
    int word = program.memory().layout().wordBytes();
    try {
      long entry = program.memory().unsigned(table + slot * word, word);
      return hex(entry)
          + program.symbols().at(entry).map(located -> " <" + located.text() + ">").orElse("");
    } catch (FaultException e) {
      return "<" + e.getMessage() + ">";
    }
  }

  private static String hex(long address) {
    return "0x" + Long.toHexString(address);
  }

  private static Item line(String text) {
    return Item.show(new Datum.Text(text));
  }
}
