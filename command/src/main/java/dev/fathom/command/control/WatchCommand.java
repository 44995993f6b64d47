// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.target.Breakpoints.Kind;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code ::wp}, {@code :w} and {@code :a}. */
final class WatchCommand implements Command {
  private final String name;

  /**
   * @param name without options {@code :w} watches writes and {@code :a} reads
   */
  WatchCommand(String name) {
    this.name = name;
  }

  @Override
  public CommandSpec spec() {
    var spec =
        name.equals("wp")
            ? CommandSpec.mdb("wp", "set a watchpoint")
            : CommandSpec.mdb(
                name, name.equals(":a") ? "set read access watchpoint" : "set write watchpoint");
    return EventOptions.describe(spec.addressOptional())
        .flag('r', "stop where it is read")
        .flag('w', "stop where it is written (the default of ::wp)")
        .flag('x', "stop where it is executed")
        .option('L', "size", "watch so many bytes: 1, 2, 4 or 8 (the default)")
        .arguments("[address]")
        .help(
            """
            Stops the target behind the instruction that accesses the memory at the address. CPUs
            have four debug registers; an emulator may watch more. The options are those of `::bp`.
            `:w` watches writes, `:a` reads. CPUs watch 2, 4 or 8 bytes only at a multiple of their
            number.

                > jiffies_64::wp
                watchpoint 1 at jiffies_64
                > panic_timeout::wp -rw -L 4
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(0, 1);
    if (args.count() == 1 ? call.hasAddress() : !call.hasAddress()) {
      throw new UsageException("one address is needed");
    }
    long address = call.hasAddress() ? call.address() : call.number(args.operands().getFirst());
    long size = args.option('L').isPresent() ? call.number(args.option('L').get()) : 8;
    if (size != 1 && size != 2 && size != 4 && size != 8) {
      throw new UsageException("size must be 1, 2, 4 or 8");
    }
    boolean read = args.has('r') || (name.equals(":a") && !args.has('w'));
    boolean write = args.has('w') || (!read && !args.has('x'));
    if (args.has('x') && (read || write)) {
      throw new UsageException("-x goes with neither -r nor -w");
    }
    var kind =
        args.has('x') ? Kind.HARDWARE : read && write ? Kind.ACCESS : read ? Kind.READ : Kind.WRITE;
    var control = call.session().control();
    var place = Places.at(call, address);
    if (args.has('x')) {
      Places.checkMapped(call, place, kind);
    } else {
      Places.checkWatched(call, address, (int) size);
    }
    var added = control.add(place, kind, args.has('x') ? 1 : (int) size, Optional.empty());
    try {
      EventOptions.apply(call, added);
    } catch (RuntimeException e) {
      control.delete(added);
      throw e;
    }
    return Stream.of(EventTable.added(added));
  }
}
