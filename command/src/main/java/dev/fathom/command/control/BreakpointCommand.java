// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.session.control.Breakpoint;
import dev.fathom.target.Breakpoints.Kind;
import java.util.ArrayList;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code ::bp} and {@code :b}. */
final class BreakpointCommand implements Command {
  @Override
  public CommandSpec spec() {
    return EventOptions.describe(
            CommandSpec.mdb("bp", "set a breakpoint").alias(":b").addressOptional())
        .flag('h', "in a debug register of the CPUs instead of the code")
        .flag('p', "also for names that nothing answers to yet: wait for their module")
        .arguments("[symbol | file:line ...]")
        .help(
            """
            Stops the target where its code comes to the address in front, to functions (all of a
            name, as `break` takes them), or to lines (`FILE:LINE`) that debug information knows. A
            symbol of a module that is not loaded (``module`symbol``) waits for the module and then
            stops in its first instruction, initialisation included.

            A condition is a C expression over registers (`$rdi`), the program's variables, and the
            thread that is there: `pid`, `tid`, `ppid`, `cpu`, `comm`, and `curthread`, the address
            of its structure. With debug information it knows the parameters and locals of the
            function at that place, which hide other things of their names where they are not
            optimised out. Only hits where it is true count.

            With `-c` commands run at each stop; when one of them is `:c` the target goes on after
            them. When the first is `silent` nothing is said of the stop itself.

                > ::bp -i 'comm == "dd"' vfs_read
                breakpoint 1 at vfs_read
                > vfs_read+0x40::bp -t
                > ::bp -c silent -c '<rdx=D' -c :c vfs_write
                > ::bp loop`lo_ioctl
                breakpoint 4 waits for loop`lo_ioctl
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args();
    var control = call.session().control();
    var kind = args.has('h') ? Kind.HARDWARE : Kind.SOFTWARE;
    var places = new ArrayList<Breakpoint.Place>();
    if (call.hasAddress()) {
      places.add(Places.at(call, call.address()));
    }
    for (var symbol : args.operands()) {
      places.add(Places.of(call, symbol.text(), args.has('p')));
    }
    if (places.isEmpty()) {
      throw new UsageException("an address or a symbol is needed");
    }
    var items = new ArrayList<Item>();
    places.forEach(place -> Places.checkMapped(call, place, kind));
    for (var place : places) {
      var added = control.add(place, kind, 1, Optional.empty());
      try {
        EventOptions.apply(call, added);
      } catch (RuntimeException e) {
        control.delete(added);
        throw e;
      }
      items.add(EventTable.added(added));
    }
    return items.stream();
  }
}
