// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.Tasks;
import dev.fathom.command.VectorRegisters;
import java.util.ArrayList;
import java.util.stream.Stream;

/** {@code ::regs} and {@code $r}. */
final class RegsCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("regs", "print general purpose registers")
        .alias("$r")
        .addressOptional()
        .flag('v', "vector registers and the FPU's, too, of a thread on a CPU of a stopped target")
        .help(
            """
            Shows the registers of a thread (its address or id in front; else the selected one, or
            the one that panicked): those of the CPU it runs on, or those saved when it was switched
            out, of which there are few. Registers that are not known are left out.

                > $r
                > 0t1::regs
                > ::regs -v
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    var task = Tasks.current(call);
    var registers =
        call.kernel()
            .registersOf(task)
            .orElseThrow(
                () -> new EvalException("the registers of " + task.name() + " are not known"));
    var fields = new ArrayList<Datum.Field>();
    for (var register : registers.file().registers()) {
      var value = registers.get(register);
      if (value.isPresent()) {
        boolean isPc = register.equals(registers.file().pc());
        fields.add(
            new Datum.Field(
                register.name(),
                "%" + register.name(),
                isPc
                    ? new Cell.Symbolic(
                        value.getAsLong(),
                        Long.toHexString(value.getAsLong())
                            + " "
                            + call.program().symbols().text(value.getAsLong()))
                    : Cell.address(value.getAsLong())));
      }
    }
    if (call.args().has('v')) {
      fields.addAll(
          VectorRegisters.of(call.session(), VectorRegisters.cpu(call, task), registers.file()));
    }
    return Stream.of(Item.show(new Datum.Fields("registers", fields, 8)));
  }
}
