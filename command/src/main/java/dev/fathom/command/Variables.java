// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.EvalException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/** mdb's variables: those of the user and those that the debugger keeps. */
public final class Variables {
  /** Characters that may not stand in a variable's name. */
  private static final String ILLEGAL = "#%^&*-+=,:$/\\?<>;|!`'\"[]() \t\n{}";

  private static final int LIMIT = 100_000;

  /** What {@code ::vars} shows. */
  public record Variable(
      String name, long value, boolean readOnly, boolean persistent, boolean tagged) {}

  private static final class Entry {
    private long value;
    private Supplier<OptionalLong> source;
    private boolean persistent;
    private boolean tagged;
  }

  /** Variables that come from elsewhere, such as registers. */
  public interface Source {
    List<String> names();

    /**
     * Sets {@code name}; false when it is none of {@link #names} or cannot be set.
     *
     * @throws dev.fathom.base.FathomException when it could, but not now
     */
    default boolean set(String name, long value) {
      return false;
    }

    /** The value of {@code name}; empty when it is not known, or not one of {@link #names}. */
    OptionalLong get(String name);

    /** Why {@code name}, one of {@link #names}, has no value now. */
    default Optional<String> unknown(String name) {
      return Optional.empty();
    }
  }

  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private final List<Source> sources = new ArrayList<>();

  /** The variables that mdb starts with. */
  public Variables() {
    for (var name : List.of("0", "1", "2", "9", "b", "d", "e", "hits", "m", "t", "_")) {
      entry(name).persistent = true;
    }
  }

  /** Adds a read-only variable whose value is asked for each time; it may be unknown. */
  public void computed(String name, Supplier<OptionalLong> source) {
    var entry = entry(name);
    entry.source = source;
    entry.persistent = true;
  }

  /** Adds a source, asked for names that are no variable. */
  public void add(Source source) {
    sources.add(source);
  }

  private Entry entry(String name) {
    return entries.computeIfAbsent(name, _ -> new Entry());
  }

  /** The value of {@code name}; empty when it is not defined. */
  public OptionalLong find(String name) {
    var entry = entries.get(name);
    if (entry == null) {
      for (var source : sources) {
        var value = source.get(name);
        if (value.isPresent()) {
          return value;
        }
      }
      return OptionalLong.empty();
    }
    return entry.source != null ? entry.source.get() : OptionalLong.of(entry.value);
  }

  /**
   * The value of {@code name}.
   *
   * @throws EvalException when it is not defined
   */
  public long get(String name) {
    return find(name).orElseThrow(() -> new EvalException(undefined(name)));
  }

  private String undefined(String name) {
    for (var source : sources) {
      var why = source.unknown(name);
      if (why.isPresent()) {
        return why.get();
      }
    }
    return "variable '" + name + "' is not defined";
  }

  /**
   * Sets {@code name}, which is made when it is not there.
   *
   * @throws EvalException for a read-only variable or a name with illegal characters
   */
  public void set(String name, long value) {
    var old = entries.get(name);
    if (old == null) {
      checkName(name);
      for (var source : sources) {
        if (source.set(name, value)) {
          return;
        }
        if (source.names().contains(name)) {
          throw new EvalException("variable '" + name + "' is read-only");
        }
      }
      if (entries.size() >= LIMIT) {
        throw new EvalException("too many variables");
      }
    } else if (old.source != null) {
      throw new EvalException("variable '" + name + "' is read-only");
    }
    entry(name).value = value;
  }

  /** Marks {@code name}, making it if needed, or removes the mark. */
  public void tag(String name, boolean tagged) {
    if (!entries.containsKey(name)) {
      set(name, 0);
    }
    entry(name).tagged = tagged;
  }

  /**
   * Removes {@code name}.
   *
   * @throws EvalException when it is not there or belongs to the debugger
   */
  public void unset(String name) {
    var entry = entries.get(name);
    if (entry == null) {
      throw new EvalException("variable '" + name + "' is not defined");
    }
    if (entry.persistent) {
      throw new EvalException("variable '" + name + "' is read-only");
    }
    entries.remove(name);
  }

  /** Whether {@code name} is defined. */
  public boolean has(String name) {
    return entries.containsKey(name);
  }

  /** All that have a value, in the order in which they were made. */
  public List<Variable> all() {
    var list = new ArrayList<Variable>();
    entries.forEach(
        (name, entry) ->
            find(name)
                .ifPresent(
                    value ->
                        list.add(
                            new Variable(
                                name,
                                value,
                                entry.source != null,
                                entry.persistent,
                                entry.tagged))));
    for (var source : sources) {
      for (var name : source.names()) {
        source.get(name).ifPresent(value -> list.add(new Variable(name, value, true, true, false)));
      }
    }
    return list;
  }

  /**
   * @throws EvalException when {@code name} cannot be the name of a variable
   */
  public static void checkName(String name) {
    boolean bad = name.isEmpty();
    for (int i = 0; i < name.length(); i++) {
      bad |= ILLEGAL.indexOf(name.charAt(i)) >= 0 || name.charAt(i) < ' ';
    }
    if (bad) {
      throw new EvalException("'" + name + "': specified name contains illegal characters");
    }
  }
}
