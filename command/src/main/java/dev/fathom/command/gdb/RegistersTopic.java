// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.gdb;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.base.LookupException;
import dev.fathom.command.CScope;
import dev.fathom.command.FlagRegisters;
import dev.fathom.command.FrameNames;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.RegisterValues;
import dev.fathom.command.ValueTree;
import dev.fathom.lang.NearNames;
import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.Value;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.PointerType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/** gdb's {@code info registers} and {@code info all-registers} of the selected frame. */
final class RegistersTopic {
  /** As much of a value as is shown in a line. */
  private static final ValueTree.Options OPTIONS =
      ValueTree.Options.gdb(false, OptionalInt.of(200), Optional.empty());

  private RegistersTopic() {}

  /** The registers that are named; without names the general ones that are known. */
  static Stream<Item> named(Invocation call, List<String> names) {
    var items = new ArrayList<Item>();
    items.add(header());
    if (names.isEmpty()) {
      items.addAll(general(call));
    }
    for (var word : names) {
      var name = word.startsWith("$") ? word.substring(1) : word;
      items.add(one(call, name));
    }
    return items.stream();
  }

  /** The general registers, and all others that the target tells of. */
  static Stream<Item> all(Invocation call) {
    var items = new ArrayList<Item>();
    items.add(header());
    items.addAll(general(call));
    try {
      RegisterValues.all(call).forEach((name, value) -> items.add(shown(call, name, value)));
    } catch (FathomException e) {
      call.remark(e.getMessage());
    }
    return items.stream();
  }

  private static Item header() {
    return Item.show(
        new Datum.Header(
            "registers",
            List.of(
                new Datum.Column("register", "", 14, Datum.Align.LEFT),
                new Datum.Column("hex", "", 18, Datum.Align.LEFT),
                new Datum.Column("value", "", 0, Datum.Align.LEFT))));
  }

  private static Registers registers(Invocation call) {
    return FrameNames.registers(call)
        .orElseThrow(() -> new EvalException("the thread's registers are not known"));
  }

  private static List<Item> general(Invocation call) {
    var known = registers(call);
    return known.file().registers().stream()
        .filter(register -> known.get(register).isPresent())
        .map(register -> one(call, usualName(known, register)))
        .toList();
  }

  /** gdb's name of a register where it has one of its own. */
  private static String usualName(Registers registers, Register register) {
    for (var name : List.of("eflags", "cpsr")) {
      if (registers.file().named(name).equals(Optional.of(register))) {
        return name;
      }
    }
    return register.name();
  }

  private static Item one(Invocation call, String name) {
    var file = call.program().architecture().registers();
    var part = file.part(name);
    if (part.isPresent() && registers(call).get(part.get().register()).isEmpty()) {
      return row(name, new Cell.Absent("not known"), new Cell.Absent("not known"));
    }
    var value =
        new CScope(call)
            .register(name)
            .orElseThrow(
                () ->
                    new LookupException(
                        "register",
                        name,
                        NearNames.of(
                            name, file.registers().stream().map(Register::name).toList())));
    return shown(call, name, value);
  }

  private static Item shown(Invocation call, String name, Value value) {
    var type = value.type().resolved();
    if (type.bytes() > Long.BYTES) {
      return ValueTree.show(call, Optional.of(name), value, OPTIONS);
    }
    long bits = value.asLong();
    var hex = "0x" + Long.toHexString(bits);
    if (type instanceof EnumType flags) {
      return row(name, Cell.text(hex), Cell.text(FlagRegisters.text(flags, bits).orElse(hex)));
    }
    if (type instanceof PointerType) {
      var symbol = call.program().symbols().at(bits);
      var where = symbol.map(at -> hex + " <" + at.text() + ">").orElse(hex);
      return row(name, Cell.text(hex), Cell.text(where));
    }
    return row(name, Cell.text(hex), Cell.decimal(bits));
  }

  private static Item row(String name, Cell hex, Cell value) {
    return Item.show(new Datum.Row(List.of(Cell.text(name), hex, value)));
  }
}
