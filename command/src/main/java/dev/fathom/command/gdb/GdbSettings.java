// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.gdb;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.command.CExpression;
import dev.fathom.command.EntryValues;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/** gdb's {@code set}, as far as its words are not crash's: variables and how values are shown. */
public final class GdbSettings {
  private GdbSettings() {}

  /**
   * Does what gdb's {@code set} of these words does; empty when they are none of gdb's.
   *
   * @throws UsageException for words that begin as gdb's and are wrong
   */
  public static Optional<Stream<Item>> set(Invocation call) {
    var words = Words.of(call);
    if (words.isEmpty()) {
      return Optional.empty();
    }
    var first = words.getFirst();
    var text = Words.joined(words, 1);
    if (first.equals("var") || first.equals("variable")) {
      CExpression.evaluate(call, text);
      return Optional.of(Stream.empty());
    }
    boolean assigns = Words.joined(words, 0).matches("[^=]*[^=!<>]=[^=].*");
    if (first.startsWith("$") || assigns) {
      CExpression.evaluate(call, Words.joined(words, 0));
      return Optional.of(Stream.empty());
    }
    if (first.equals("substitute-path")) {
      if (words.size() != 3) {
        throw new UsageException("expected set substitute-path FROM TO");
      }
      call.environment().settings().substitute(folder(words.get(1)), folder(words.get(2)));
      return Optional.of(Stream.empty());
    }
    if (first.equals("print") || first.equals("p") || first.equals("pr")) {
      print(call, words);
      return Optional.of(Stream.empty());
    }
    return Optional.empty();
  }

  /** A folder's path as rules have it: a slash at its end says nothing. */
  private static String folder(String text) {
    var plain =
        text.length() > 1 && text.endsWith("/") ? text.substring(0, text.length() - 1) : text;
    if (plain.isEmpty()) {
      throw new UsageException("a path is not empty");
    }
    return plain;
  }

  /** {@code unset substitute-path [FROM]}. */
  static void unset(Invocation call) {
    var words = Words.of(call);
    var settings = call.environment().settings();
    if (words.isEmpty() || words.size() > 2 || !words.getFirst().equals("substitute-path")) {
      throw new UsageException("expected unset substitute-path [FROM]");
    }
    if (words.size() == 1) {
      settings.forgetSubstitutions();
    } else if (!settings.forgetSubstitution(folder(words.get(1)))) {
      throw new LookupException("substitution of path", words.get(1));
    }
  }

  /** The rules as {@code show substitute-path} has them. */
  static Stream<Item> showSubstitutions(Invocation call) {
    var rules = call.environment().settings().substitutions();
    return rules.isEmpty()
        ? Stream.of(Item.show(new Datum.Text("no substitutions of paths")))
        : rules.entrySet().stream()
            .map(
                rule ->
                    Item.show(
                        new Datum.Fact(
                            rule.getKey() + " -> " + rule.getValue(),
                            List.of(
                                new Datum.Field("from", "", Cell.text(rule.getKey())),
                                new Datum.Field("to", "", Cell.text(rule.getValue()))))));
  }

  private static void print(Invocation call, List<String> words) {
    var state = call.environment().gdb();
    var what = words.size() > 1 ? words.get(1) : "";
    var value = words.size() > 2 ? words.get(2) : "";
    switch (what) {
      case "pretty" -> state.pretty(isOn(value));
      case "object" -> state.object(isOn(value));
      case "elements" -> state.elements(limit(value));
      case "entry-values" ->
          state.entryValues(
              EntryValues.of(value)
                  .orElseThrow(
                      () ->
                          new UsageException(
                              "'"
                                  + value
                                  + "': no, only, preferred, if-needed, both, compact or"
                                  + " default")));
      default ->
          throw new UsageException("'" + what + "': pretty, object, elements or entry-values");
    }
  }

  private static boolean isOn(String value) {
    return switch (value) {
      case "", "on", "1" -> true;
      case "off", "0" -> false;
      default -> throw new UsageException("on or off, not '" + value + "'");
    };
  }

  /** A limit on elements: a number, or none for 0 and {@code unlimited}. */
  static OptionalInt limit(String text) {
    if (text.equals("unlimited") || text.equals("0")) {
      return OptionalInt.empty();
    }
    if (!text.matches("[0-9]{1,9}")) {
      throw new UsageException("'" + text + "' is neither a number nor 'unlimited'");
    }
    return OptionalInt.of(Integer.parseInt(text));
  }

  /** The settings as {@code show print} has them. */
  static Stream<Item> show(Invocation call) {
    var state = call.environment().gdb();
    return Stream.of(
        Item.show(new Datum.Text("pretty: " + (state.pretty() ? "on" : "off"))),
        Item.show(new Datum.Text("object: " + (state.object() ? "on" : "off"))),
        Item.show(new Datum.Text("entry-values: " + state.entryValues().text())),
        Item.show(
            new Datum.Text(
                "elements: "
                    + (state.elements().isPresent()
                        ? Integer.toString(state.elements().getAsInt())
                        : "unlimited"))));
  }
}
