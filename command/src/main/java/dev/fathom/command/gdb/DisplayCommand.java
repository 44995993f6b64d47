// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.gdb;

import dev.fathom.base.Datum;
import dev.fathom.base.FathomException;
import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.command.CExpression;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.ValueTree;
import java.util.ArrayList;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/** {@code display} and {@code undisplay}. */
final class DisplayCommand implements Command {
  private final String name;

  DisplayCommand(String name) {
    this.name = name;
  }

  @Override
  public CommandSpec spec() {
    boolean adds = name.equals("display");
    var spec =
        CommandSpec.crash(
            name, adds ? "show an expression at each stop" : "show an expression no more");
    return (adds ? spec.reading(CommandSpec.Reading.STATEMENT) : spec)
        .arguments(adds ? "[/format] [expression]" : "[number ...]")
        .help(
            """
            `display` shows an expression now and each time the target stops, in a format of
            `print`, or of `x` with `/i`, `/s` or a size. Without an expression it shows all, but
            leaves out those with names that mean nothing where the target stands, such as another
            function's variables; `undisplay` removes some or all.

                > display/i $rip
                > display jiffies
                > undisplay 1
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var words = Words.of(call);
    var state = call.environment().gdb();
    if (name.equals("undisplay")) {
      if (words.isEmpty()) {
        state.undisplay(OptionalInt.empty());
      }
      for (var word : words) {
        if (!word.matches("[0-9]{1,9}")) {
          throw new UsageException("'" + word + "' is not a number");
        }
        state.undisplay(OptionalInt.of(Integer.parseInt(word)));
      }
      return Stream.empty();
    }
    if (words.isEmpty()) {
      return state.displays().entrySet().stream()
          .flatMap(entry -> showHere(call, entry.getKey(), entry.getValue()));
    }
    var format = words.getFirst().startsWith("/") ? words.getFirst() : "";
    var text = Words.joined(words, format.isEmpty() ? 0 : 1);
    if (text.isEmpty()) {
      throw new UsageException("expected an expression");
    }
    var parsed = format.isEmpty() ? Format.NONE : Format.parse(format);
    boolean examines =
        parsed.unit().isPresent()
            || parsed.count().isPresent()
            || parsed.letter().filter(c -> c == 'i' || c == 's').isPresent();
    var line = (examines ? "x" : "output") + format + " " + text;
    int number = state.display(line);
    try {
      return show(call, number, line);
    } catch (FathomException e) {
      state.undisplay(OptionalInt.of(number)); // What cannot be shown now is never shown.
      throw e;
    }
  }

  /** What a display shows; nothing where its names are not known. */
  private static Stream<Item> showHere(Invocation call, int number, String line) {
    try {
      return show(call, number, line);
    } catch (FathomException e) {
      if (e instanceof LookupException || e.getCause() instanceof LookupException) {
        return Stream.empty(); // It is shown again where they are.
      }
      throw e;
    }
  }

  private static Stream<Item> show(Invocation call, int number, String line) {
    int blank = line.indexOf(' ');
    var command = line.substring(0, blank);
    var expression = line.substring(blank + 1);
    int slash = command.indexOf('/');
    var format = slash < 0 ? "" : command.substring(slash);
    var title = number + ": " + (format.isEmpty() ? "" : format + " ") + expression;
    if (command.startsWith("x")) {
      var items = new ArrayList<Item>();
      items.add(Item.show(new Datum.Text(title)));
      try (var shown = call.execute(line)) {
        shown.forEach(items::add);
      }
      return items.stream();
    }
    var state = call.environment().gdb();
    var letter = format.isEmpty() ? Optional.<Character>empty() : Format.parse(format).letter();
    var options = ValueTree.Options.gdb(state.pretty(), state.elements(), letter);
    var value = CExpression.evaluate(call, expression);
    return Stream.of(ValueTree.show(call, Optional.of(title), value, options));
  }
}
