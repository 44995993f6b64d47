// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.UsageException;
import dev.fathom.command.Argument;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;

/** {@code ::set}. */
final class SetCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("set", "get/set debugger properties")
        .option('o', "name=value", "set one property")
        .help(
            """
            Shows the properties that can be set, or sets some: `array_mem_limit` (elements of an
            array that `::print` shows, or `none`), `array_str_limit` (characters of a string, or
            `none`), `radix` (of numbers without prefix) and `width` (columns of the page).

                > ::set -o array_mem_limit=none -o width=0t132
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(0, 0);
    var settings = call.environment().settings();
    for (var option : args.all('o')) {
      var text = option.text();
      int equals = text.indexOf('=');
      if (equals < 0) {
        throw new UsageException("a property is set as name=value");
      }
      var value = text.substring(equals + 1);
      switch (text.substring(0, equals)) {
        case "array_mem_limit" -> settings.arrayMembers(limit(call, value));
        case "array_str_limit" -> settings.arrayString(limit(call, value));
        case "radix" -> settings.radix(number(call, value));
        case "width" -> settings.width(number(call, value));
        default -> throw new UsageException("unknown property: " + text.substring(0, equals));
      }
    }
    return args.has('o') ? Stream.empty() : Stream.of(Item.show(shown(call)));
  }

  private static OptionalInt limit(Invocation call, String value) {
    return value.equals("none") ? OptionalInt.empty() : OptionalInt.of(number(call, value));
  }

  private static int number(Invocation call, String value) {
    long number = call.number(new Argument.Word(value));
    if (number < 0 || number > Integer.MAX_VALUE) {
      throw new UsageException("the value is too large: " + value);
    }
    return (int) number;
  }

  private static Datum shown(Invocation call) {
    var settings = call.environment().settings();
    return new Datum.Fields(
        "settings",
        List.of(
            field("array_mem_limit", limitText(settings.arrayMembers())),
            field("array_str_limit", limitText(settings.arrayString())),
            field("radix", Cell.decimal(settings.radix())),
            field("width", Cell.decimal(settings.width()))),
        0);
  }

  private static Cell limitText(OptionalInt limit) {
    return limit.isPresent() ? Cell.decimal(limit.getAsInt()) : Cell.text("none");
  }

  private static Datum.Field field(String key, Cell value) {
    return new Datum.Field(key, key, value);
  }
}
