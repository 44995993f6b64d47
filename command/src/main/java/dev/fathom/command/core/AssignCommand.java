// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** {@code >}: sets a variable. Its operands are the size's letter, perhaps empty, and the name. */
final class AssignCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb(">", "assign variable")
        .addressOptional()
        .arguments("variable")
        .help(
            """
            Sets a variable to dot, or to the address in front: `value>name`. `value>/t/name` first
            cuts the value to one byte (`t` = `c`), two (`s`), four (`i`) or a native long (`l`).

                > ffff888003858000>task
                > 0x12345>/c/low; <low=X
                                45              \s
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(2, 2);
    long value = call.hasAddress() ? call.address() : call.dot();
    long cut =
        switch (args.word(0)) {
          case "c" -> value & 0xff;
          case "s" -> value & 0xffff;
          case "i" -> value & 0xffff_ffffL;
          case "", "l" -> value;
          default ->
              throw new dev.fathom.base.UsageException("unknown size /" + args.word(0) + "/");
        };
    if (args.word(1).equals(".")) {
      call.moveDot(cut);
    } else {
      call.environment().variables().set(args.word(1), cut);
    }
    return Stream.empty();
  }
}
