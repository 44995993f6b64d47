// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.LookupException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.Symbol;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** {@code ::percpu}. */
final class PerCpuCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("percpu", "give the address of a per-CPU variable on each CPU")
        .addressRequired()
        .help(
            """
            The value of a per-CPU variable's name is an offset in the area of each CPU, as is a
            pointer that `alloc_percpu` gave. `::percpu` makes the address on every CPU of it.

            In expressions `variable:3` is the address on CPU 3; the number is decimal.

                > runqueues::percpu | ::print struct rq nr_running
                > runqueues:0::print nr_running
                > runqueues:0::print -a curr
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    long offset = call.address();
    var type = type(call, offset);
    return call.kernel().cpus().stream()
        .map(cpu -> call.kernel().perCpu(offset, cpu.id()))
        .filter(OptionalLong::isPresent)
        .map(OptionalLong::getAsLong)
        .map(
            address ->
                Item.value(
                    type.isPresent()
                        ? new Value.Ref(call.program(), type.get(), address)
                        : Values.address(call, address)));
  }

  private static Optional<CType> type(Invocation call, long offset) {
    var symbol =
        call.program().symbols().stream()
            .filter(s -> s.kind() == Symbol.Kind.PER_CPU && s.address() == offset)
            .findFirst();
    try {
      return symbol.map(s -> call.program().global(s.name()).type());
    } catch (LookupException _) {
      // Not every variable has a type: then the addresses come without.
      return Optional.empty();
    }
  }
}
