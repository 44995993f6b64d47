// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.TypeWords;
import dev.fathom.command.Variables;
import dev.fathom.model.Value;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CType;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** {@code ::array}. */
final class ArrayCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("array", "print each array element's address")
        .addressRequired()
        .arguments("[type count] [variable]")
        .help(
            """
            Gives the address of each element of an array. Without a type, the address must be
            exactly that of a variable whose type is known to be an array.

                > ffffffff82a12000::array struct page 3
                0xffffffff82a12000
                0xffffffff82a12040
                0xffffffff82a12080
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var operands = call.args().operands();
    if (operands.size() >= 2) {
      var type = TypeWords.get(call.program().types(), operands);
      call.args().expect(type.words() + 1, type.words() + 2);
      long count = call.number(operands.get(type.words()));
      return elements(call, type.type(), count, variable(call, type.words() + 1));
    }
    call.args().expect(0, 1);
    var array = ofVariable(call);
    long count =
        array.count().orElseThrow(() -> new EvalException("the length of the array is not known"));
    return elements(call, array.element(), count, variable(call, 0));
  }

  private static Optional<String> variable(Invocation call, int index) {
    return call.args().count() > index ? Optional.of(call.args().word(index)) : Optional.empty();
  }

  private static ArrayType ofVariable(Invocation call) {
    if (call.object() instanceof Value.Ref ref && ref.type().resolved() instanceof ArrayType a) {
      return a;
    }
    var located = call.program().symbols().at(call.address());
    if (located.isEmpty() || located.get().offset() != 0) {
      throw new EvalException("no symbol information for 0x" + Long.toHexString(call.address()));
    }
    try {
      var variable = call.program().global(located.get().symbol());
      if (variable.type().resolved() instanceof ArrayType array) {
        return array;
      }
      throw new EvalException(located.get().text() + " is not an array");
    } catch (LookupException e) {
      throw new EvalException(
          "no type information for " + located.get().text() + ": " + e.getMessage());
    }
  }

  private static Stream<Item> elements(
      Invocation call, CType type, long count, Optional<String> variable) {
    variable.ifPresent(Variables::checkName);
    if (count < 0) {
      throw new EvalException("the array is too long");
    }
    long start = call.address();
    return LongStream.range(0, count)
        .mapToObj(
            i -> {
              long at = start + i * type.bytes();
              variable.ifPresent(name -> call.environment().variables().set(name, at));
              return Item.value(new Value.Ref(call.program(), type, at));
            });
  }
}
