// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.List;
import java.util.stream.Stream;

/** {@code $d}. */
final class RadixCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("$d", "get/set default output radix")
        .addressOptional()
        .help(
            """
            Shows the base of numbers without prefix, or sets it to the address in front.

                > 0t10$d
                radix = 10 base ten
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    var settings = call.environment().settings();
    if (call.hasAddress()) {
      long radix = call.address();
      if (Long.compareUnsigned(radix, 16) > 0) {
        throw new UsageException("radix must be between 2 and 16");
      }
      settings.radix((int) radix);
    }
    int radix = settings.radix();
    return Stream.of(
        Item.show(
            new Datum.Fact(
                "radix = " + radix + " base " + name(radix),
                List.of(new Datum.Field("radix", "radix", Cell.decimal(radix))))));
  }

  private static String name(int radix) {
    return switch (radix) {
      case 2 -> "two";
      case 8 -> "eight";
      case 10 -> "ten";
      case 16 -> "sixteen";
      default -> Integer.toString(radix);
    };
  }
}
