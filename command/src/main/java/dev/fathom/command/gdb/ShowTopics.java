// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.gdb;

import dev.fathom.base.UsageException;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.ValueTree;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What gdb's {@code show} tells of values, variables and settings. */
public final class ShowTopics {
  private static final int SHOWN = 10;

  private ShowTopics() {}

  /** The items for these words; empty when the first names none of the topics here. */
  public static Optional<Stream<Item>> of(Invocation call) {
    var words = Words.of(call);
    var state = call.environment().gdb();
    var options = ValueTree.Options.gdb(state.pretty(), state.elements(), Optional.empty());
    return switch (words.isEmpty() ? "" : words.getFirst()) {
      case "values" -> Optional.of(values(call, words, options).stream());
      case "convenience", "conv" -> {
        var items = new ArrayList<Item>();
        state
            .variables()
            .forEach(
                (name, value) ->
                    items.add(ValueTree.show(call, Optional.of("$" + name), value, options)));
        yield Optional.of(items.stream());
      }
      case "print" -> Optional.of(GdbSettings.show(call));
      case "substitute-path" -> Optional.of(GdbSettings.showSubstitutions(call));
      default -> Optional.empty();
    };
  }

  private static List<Item> values(Invocation call, List<String> words, ValueTree.Options options) {
    var state = call.environment().gdb();
    int size = state.historySize();
    int first = Math.max(1, size - SHOWN + 1);
    if (words.size() > 1) {
      if (!words.get(1).matches("[0-9]{1,9}")) {
        throw new UsageException("'" + words.get(1) + "' is not a number");
      }
      first = Math.max(1, Integer.parseInt(words.get(1)) - SHOWN / 2);
    }
    var items = new ArrayList<Item>();
    for (int i = first; i <= Math.min(size, first + SHOWN - 1); i++) {
      var value = state.recall(Integer.toString(i)).orElseThrow();
      items.add(ValueTree.show(call, Optional.of("$" + i), value, options));
    }
    return items;
  }
}
