// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.UsageException;
import dev.fathom.command.Argument;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** {@code ::head}. */
final class HeadCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("head", "limit number of elements in pipe")
        .addressOptional()
        .arguments("-number | -n number")
        .readsAll()
        .help(
            """
            Passes on only the first elements of its input, 10 (hexadecimal, as all numbers) unless
            told otherwise. What comes behind them is not even looked for.

                > ::walk thread | ::head -3
                > ::walk thread | ::head -n 0t20
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    long count = 10;
    var words = call.args().operands();
    if (words.size() == 2 && words.get(0).text().equals("-n")) {
      count = call.number(words.get(1));
    } else if (words.size() == 1 && words.get(0).text().startsWith("-")) {
      var number = words.get(0).text().substring(1);
      count = call.number(new Argument.Word(number.startsWith("n") ? number.substring(1) : number));
    } else if (!words.isEmpty()) {
      throw new UsageException("unexpected argument " + words.getFirst().text());
    }
    if (count < 0) {
      throw new UsageException("the number of elements is too large");
    }
    return call.input().limit(count).map(Item::value);
  }
}
