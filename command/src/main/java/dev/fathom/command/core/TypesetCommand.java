// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** {@code ::typeset}. */
final class TypesetCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("typeset", "set variable attributes")
        .arguments("[+t|-t] variable ...")
        .help(
            """
            Makes variables that are not there, and with `-t` tags them for `::vars -t`; `+t`
            removes the tag.

                > ::typeset -t mine
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    boolean tag = false;
    boolean untag = false;
    var variables = call.environment().variables();
    for (var operand : call.args().expect(1, Integer.MAX_VALUE).operands()) {
      var word = operand.text();
      switch (word) {
        case "-t" -> tag = true;
        case "+t" -> untag = true;
        default -> {
          if (word.startsWith("-") || word.startsWith("+")) {
            throw new UsageException("illegal option " + word);
          }
          if (tag || untag) {
            variables.tag(word, tag);
          } else if (!variables.has(word)) {
            variables.set(word, 0);
          }
        }
      }
    }
    return Stream.empty();
  }
}
