// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.LookupException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.VectorRegisters;
import java.util.ArrayList;
import java.util.stream.Stream;

/** {@code ::cpuregs}. */
final class CpuregsCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("cpuregs", "print all registers of the CPUs")
        .option('c', "cpu", "only of this one, as the target numbers it")
        .flag('v', "vector registers and the FPU's, too; the target must be stopped")
        .help(
            """
            Shows all that the target tells of each CPU's registers: general, segment, control, and
            those of descriptor tables; and the thread that is on it.

                > ::cpuregs -c 0
                CPU 0: swapper/0/0
                     %rax = 0x0000000000000001
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    var only = call.args().option('c');
    long wanted = only.isPresent() ? call.number(only.get()) : -1;
    var items = new ArrayList<Item>();
    for (var cpu : call.session().target().cpus()) {
      if (only.isPresent() && cpu.id() != wanted) {
        continue;
      }
      var task = call.kernel().running(cpu);
      var fields = new ArrayList<Datum.Field>();
      for (var register : cpu.registers().file().registers()) {
        var value = cpu.registers().get(register);
        if (value.isPresent()) {
          boolean pc = register.equals(cpu.registers().file().pc());
          fields.add(
              new Datum.Field(
                  register.name(),
                  "%" + register.name(),
                  pc
                      ? new Cell.Symbolic(
                          value.getAsLong(), call.program().symbols().text(value.getAsLong()))
                      : Cell.address(value.getAsLong())));
        }
      }
      items.add(
          Item.show(
              new Datum.Fact(
                  "CPU " + cpu.id() + task.map(t -> ": " + Stops.name(t)).orElse(""),
                  java.util.List.of(new Datum.Field("cpu", "", Cell.decimal(cpu.id()))))));
      if (call.args().has('v')) {
        fields.addAll(VectorRegisters.of(call.session(), cpu.id(), cpu.registers().file()));
      }
      items.add(Item.show(new Datum.Fields("registers", fields, 14)));
    }
    if (items.isEmpty() && only.isPresent()) {
      throw new LookupException("CPU", Long.toString(wanted));
    }
    return items.stream();
  }
}
