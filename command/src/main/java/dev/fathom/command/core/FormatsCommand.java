// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.language.FormatDescription;
import java.util.List;
import java.util.stream.Stream;

/** {@code ::formats}. */
final class FormatsCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("formats", "list format specifiers")
        .help(
            """
            Lists the characters that may follow the verbs `/` (memory), `\\` or `@` (physical
            memory), `?` (object file) and `=` (the value itself). A decimal number in front of one
            repeats it; a string in double quotes is shown as it is.

                > jiffies/J
                > <rsp,10/Kn
                > 0t2 << 0t10=K
                                800             \s
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    return FormatDescription.all().stream()
        .map(
            format ->
                Item.show(
                    new Datum.Fact(
                        format.character() + " - " + format.description() + bytes(format.bytes()),
                        List.of(
                            new Datum.Field(
                                "format", "", Cell.text(String.valueOf(format.character()))),
                            new Datum.Field("description", "", Cell.text(format.description())),
                            new Datum.Field("bytes", "", Cell.unsigned(format.bytes()))))));
  }

  private static String bytes(int count) {
    return switch (count) {
      case 0 -> "";
      case 1 -> " (1 byte)";
      default -> " (" + count + " bytes)";
    };
  }
}
