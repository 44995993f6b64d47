// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.EvalException;
import dev.fathom.model.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * What gdb's commands keep from one line to the next: the history of values, convenience variables,
 * expressions that are shown at each stop, and settings.
 */
public final class GdbState {
  /** As much of a value as the history keeps a copy of; longer ones stay where they are. */
  private static final int COPY_LIMIT = 1 << 16;

  private static final int HISTORY_LIMIT = 100_000;
  private static final int VARIABLE_LIMIT = 100_000;
  private static final int DISPLAY_LIMIT = 1000;

  private final List<Value> history = new ArrayList<>();
  private final Map<String, Value> variables = new LinkedHashMap<>();
  private final Map<Integer, String> displays = new TreeMap<>();
  private int lastDisplay;
  private boolean pretty = true;
  private boolean object;
  private EntryValues entryValues = EntryValues.DEFAULT;
  private OptionalInt elements = OptionalInt.of(200);
  private Optional<Listed> listed = Optional.empty();
  private Examined examined = new Examined('x', 'w', Optional.empty());

  /**
   * What {@code x} did last.
   *
   * @param letter the format
   * @param unit {@code b}, {@code h}, {@code w} or {@code g}
   * @param next where it would go on
   */
  public record Examined(char letter, char unit, Optional<Long> next) {}

  /**
   * Lines of a source file that were shown.
   *
   * @param path as debug information has it
   */
  public record Listed(String path, int first, int last) {}

  /** Which values of parameters frames show. */
  public EntryValues entryValues() {
    return entryValues;
  }

  public void entryValues(EntryValues shown) {
    entryValues = shown;
  }

  /** Adds a value as it is now; returns its number, from 1. */
  public int remember(Value value) {
    if (history.size() >= HISTORY_LIMIT) {
      throw new EvalException("the history holds no more than " + HISTORY_LIMIT + " values");
    }
    history.add(value.copied(COPY_LIMIT));
    return history.size();
  }

  /**
   * The value that {@code name}, without its first {@code $}, means: empty text the last one,
   * {@code $} the one before, {@code $3} the third before the last, {@code 3} the third.
   *
   * @return empty when {@code name} is none of these
   * @throws EvalException when there is no such value
   */
  public Optional<Value> recall(String name) {
    boolean back = name.startsWith("$");
    var digits = back ? name.substring(1) : name;
    if (!digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return Optional.empty();
    }
    if (digits.length() > 9) {
      throw new EvalException("the history has no value $" + name);
    }
    int number = digits.isEmpty() ? back ? 1 : 0 : Integer.parseInt(digits);
    boolean last = back || digits.isEmpty();
    int at = last ? history.size() - number : number;
    if (at < 1 || at > history.size()) {
      throw new EvalException(
          "the history has no value $" + name + ": it has " + history.size() + " values");
    }
    return Optional.of(history.get(at - 1));
  }

  public int historySize() {
    return history.size();
  }

  /** Sets a convenience variable. */
  public void set(String name, Value value) {
    if (variables.size() >= VARIABLE_LIMIT && !variables.containsKey(name)) {
      throw new EvalException("more than " + VARIABLE_LIMIT + " variables");
    }
    variables.put(name, value.copied(COPY_LIMIT));
  }

  public Optional<Value> variable(String name) {
    return Optional.ofNullable(variables.get(name));
  }

  /** All convenience variables, without their {@code $}. */
  public Map<String, Value> variables() {
    return new LinkedHashMap<>(variables);
  }

  /** Has the line, a {@code print} or {@code x} with an expression, run at each stop. */
  public int display(String line) {
    if (displays.size() >= DISPLAY_LIMIT) {
      throw new EvalException("more than " + DISPLAY_LIMIT + " displays");
    }
    displays.put(++lastDisplay, line);
    return lastDisplay;
  }

  /** The lines shown at each stop, by number. */
  public Map<Integer, String> displays() {
    return new TreeMap<>(displays);
  }

  /** Removes a display; without a number all. */
  public void undisplay(OptionalInt number) {
    if (number.isEmpty()) {
      displays.clear();
    } else if (displays.remove(number.getAsInt()) == null) {
      throw new EvalException("there is no display " + number.getAsInt());
    }
  }

  /** Whether structures take a line for each member. */
  public boolean pretty() {
    return pretty;
  }

  public void pretty(boolean on) {
    pretty = on;
  }

  /** Whether objects are shown as what they are behind a pointer or reference to a base. */
  public boolean object() {
    return object;
  }

  public void object(boolean on) {
    object = on;
  }

  /** Elements of an array, or characters of a string, that are shown at most. */
  public OptionalInt elements() {
    return elements;
  }

  public void elements(OptionalInt most) {
    elements = most;
  }

  /** The lines that were shown last. */
  public Optional<Listed> listed() {
    return listed;
  }

  public void listed(Optional<Listed> lines) {
    listed = lines;
  }

  public Examined examined() {
    return examined;
  }

  public void examined(Examined last) {
    examined = last;
  }

  /** Another kernel runs now: values of the old one are forgotten. */
  void forget() {
    history.clear();
    variables.clear();
    examined = new Examined('x', 'w', Optional.empty());
  }
}
