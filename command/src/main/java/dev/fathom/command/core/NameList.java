// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.List;
import java.util.function.BiPredicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;

/** The two columns of {@code ::dcmds} and {@code ::walkers}. */
final class NameList {
  private NameList() {}

  static Stream<Item> header(String name) {
    return Stream.of(
        Item.show(
            new Datum.Header(
                name,
                List.of(
                    new Datum.Column("name", "", 24, Datum.Align.LEFT),
                    new Datum.Column("dash", "", 1, Datum.Align.LEFT),
                    new Datum.Column("summary", "", 0, Datum.Align.LEFT)))));
  }

  static Item row(String name, String summary) {
    return Item.show(new Datum.Row(List.of(Cell.text(name), Cell.text("-"), Cell.text(summary))));
  }

  /** Whether a name and its summary match the pattern in the call's arguments. */
  static BiPredicate<String, String> filter(Invocation call) {
    var args = call.args().expect(0, 1);
    if (args.isEmpty()) {
      return (name, summary) -> true;
    }
    try {
      var pattern = Pattern.compile(args.word(0));
      boolean nameOnly = args.has('n');
      return (name, summary) ->
          pattern.matcher(name).find() || (!nameOnly && pattern.matcher(summary).find());
    } catch (PatternSyntaxException e) {
      throw new EvalException("invalid pattern " + args.word(0) + ": " + e.getDescription());
    }
  }
}
