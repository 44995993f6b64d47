// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.UsageException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A command's arguments, sorted into options and the words behind them. */
public final class Arguments {
  private record Given(char letter, Argument value) {}

  private final List<Given> given = new ArrayList<>();
  private final List<Argument> operands;

  private Arguments(List<Argument> operands) {
    this.operands = operands;
  }

  /**
   * Sorts {@code all} as getopt does: single-letter options may be grouped, an option's argument
   * may be attached or be the next word, {@code --} ends the options. In mdb's spelling the first
   * other word ends them too; in crash's, options may also stand behind other words. Words of a
   * command without options are all operands.
   *
   * @throws UsageException for an option that the command does not have, or that lacks its argument
   */
  public static Arguments parse(CommandSpec spec, List<Argument> all) {
    var options = spec.options();
    if (options.isEmpty()) {
      return new Arguments(all);
    }
    var operands = new ArrayList<Argument>();
    var result = new Arguments(operands);
    int i = 0;
    while (i < all.size()) {
      if (!(all.get(i) instanceof Argument.Word(String word))
          || word.length() < 2
          || word.charAt(0) != '-'
          || isNegativeNumber(options, word)) {
        if (spec.grammar() == Grammar.MDB) {
          break;
        }
        operands.add(all.get(i++));
        continue;
      }
      i++;
      if (word.equals("--")) {
        break;
      }
      for (int c = 1; c < word.length(); c++) {
        char letter = word.charAt(c);
        var option = find(options, letter);
        if (option.argument().isEmpty()) {
          result.given.add(new Given(letter, new Argument.Word("")));
        } else if (c + 1 < word.length()) {
          result.given.add(new Given(letter, new Argument.Word(word.substring(c + 1))));
          break;
        } else if (i < all.size()) {
          result.given.add(new Given(letter, all.get(i++)));
        } else {
          throw new UsageException("option requires an argument -- " + letter);
        }
      }
    }
    operands.addAll(all.subList(i, all.size()));
    return result;
  }

  private static boolean isNegativeNumber(List<Option> options, String word) {
    char first = word.charAt(1);
    if (first < '0' || first > '9') {
      return false;
    }
    for (var option : options) {
      if (option.letter() == first) {
        return false;
      }
    }
    return true;
  }

  private static Option find(List<Option> options, char letter) {
    for (var option : options) {
      if (option.letter() == letter) {
        return option;
      }
    }
    throw new UsageException("illegal option -- " + letter);
  }

  public static Arguments none() {
    return new Arguments(List.of());
  }

  /** Whether the option was given. */
  public boolean has(char letter) {
    for (var option : given) {
      if (option.letter() == letter) {
        return true;
      }
    }
    return false;
  }

  /** The argument of the option, the last one when it was given more than once. */
  public Optional<Argument> option(char letter) {
    for (int i = given.size() - 1; i >= 0; i--) {
      if (given.get(i).letter() == letter) {
        return Optional.of(given.get(i).value());
      }
    }
    return Optional.empty();
  }

  /** The arguments of every use of the option, in order. */
  public List<Argument> all(char letter) {
    var values = new ArrayList<Argument>();
    for (var option : given) {
      if (option.letter() == letter) {
        values.add(option.value());
      }
    }
    return values;
  }

  /** The letters of the options given, in order. */
  public String letters() {
    var letters = new StringBuilder();
    for (var option : given) {
      letters.append(option.letter());
    }
    return letters.toString();
  }

  /** What follows the options. */
  public List<Argument> operands() {
    return List.copyOf(operands);
  }

  public int count() {
    return operands.size();
  }

  public boolean isEmpty() {
    return operands.isEmpty();
  }

  /** The text of operand {@code i}, counted from 0. */
  public String word(int i) {
    if (i >= operands.size()) {
      throw new UsageException("too few arguments");
    }
    return operands.get(i).text();
  }

  /** All operands as they were typed, with one blank between two. */
  public String joined() {
    var text = new StringBuilder();
    for (var operand : operands) {
      text.append(text.isEmpty() ? "" : " ").append(operand.text());
    }
    return text.toString();
  }

  /**
   * @throws UsageException unless there are at least {@code least} and at most {@code most}
   *     operands
   */
  public Arguments expect(int least, int most) {
    if (operands.size() < least) {
      throw new UsageException("too few arguments");
    }
    if (operands.size() > most) {
      throw new UsageException("unexpected argument " + operands.get(most).text());
    }
    return this;
  }
}
