// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.Writing;
import dev.fathom.session.control.Calls;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code ::call}. */
final class CallCommand implements Command {
  private static final long LIMIT_SECONDS = 5;

  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("call", "run a function of the kernel or process")
        .addressOptional()
        .option('s', "seconds", "how long it may take (5)")
        .arguments("[function] [argument ...]")
        .help(
            """
            Runs a function on the CPU of the selected thread, or in that thread of a process, with
            numbers or addresses as arguments, up to six in a kernel, and shows what it returned. Needs
            `-w` and a stopped target; a kernel's thread must be in kernel code. All registers are put
            back; a process's other threads run meanwhile. `p f(1, "text")` does the same by the
            function's type; in a process also with fractions and structures.

            **This can break the kernel.** The function runs in the middle of whatever the thread was
            doing: with its locks held and, perhaps, interrupts off. A function that takes a lock,
            sleeps or allocates can hang the machine. One
            that sleeps is caught when it returns later; the thread breaks if Fathom has left by then.

                > ::call get_random_u32
                > ::call kallsyms_lookup_name $[scratch]
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    Writing.checkAllowed(call.session(), call.environment());
    var operands = call.args().operands();
    long function;
    int next = 0;
    if (call.hasAddress()) {
      function = call.address();
    } else {
      call.args().expect(1, 64);
      function = call.number(operands.getFirst());
      next = 1;
    }
    if (call.session().control().running()) {
      throw new EvalException("the target runs: stop it first (::stop)");
    }
    var arguments = new ArrayList<Calls.Argument>();
    for (int i = next; i < operands.size(); i++) {
      arguments.add(new Calls.Word(call.number(operands.get(i))));
    }
    long seconds =
        call.args().option('s').isPresent()
            ? call.number(call.args().option('s').get())
            : LIMIT_SECONDS;
    int cpu = Writing.cpu(call.session(), call.environment()).id();
    var calls = new Calls(call.session());
    calls.risk(cpu).ifPresent(call::warn);
    long result;
    try {
      result =
          calls.call(cpu, function, arguments, Duration.ofSeconds(Math.clamp(seconds, 1, 3600)));
    } finally {
      call.session().refresh().forEach(call::warn);
    }
    return Stream.of(
        Item.show(new Datum.Scalar("returned", Cell.hex(result), Optional.of("unsigned long"))));
  }
}
