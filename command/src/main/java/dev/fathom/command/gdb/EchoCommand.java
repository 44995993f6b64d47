// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.gdb;

import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** gdb's {@code echo}. */
final class EchoCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("echo", "print text")
        .reading(CommandSpec.Reading.C)
        .arguments("text")
        .help(
            """
            Prints its text, in which C's escapes such as `\\n` may stand. A line is ended in any
            case.

                > echo now the list\\n
                now the list
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    return lines(unescaped(Words.joined(Words.of(call), 0)));
  }

  static Stream<Item> lines(String text) {
    var whole = text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    return text.isEmpty() ? Stream.empty() : Stream.of(Item.show(new Datum.Text(whole)));
  }

  static String unescaped(String text) {
    var out = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '\\' || i + 1 == text.length()) {
        out.append(c);
        continue;
      }
      c = text.charAt(++i);
      switch (c) {
        case 'n' -> out.append('\n');
        case 't' -> out.append('\t');
        case 'r' -> out.append('\r');
        case 'a' -> out.append('\u0007');
        case 'e' -> out.append('\u001b');
        default -> {
          if (c >= '0' && c <= '7') {
            int end = i;
            while (end < text.length()
                && end < i + 3
                && Character.digit(text.charAt(end), 8) >= 0) {
              end++;
            }
            out.append((char) (Integer.parseInt(text, i, end, 8) & 0xff));
            i = end - 1;
          } else {
            out.append(c);
          }
        }
      }
    }
    return out.toString();
  }
}
