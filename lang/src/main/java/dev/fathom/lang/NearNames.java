// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.model.Program;
import dev.fathom.model.Symbol;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSource;
import dev.fathom.model.type.TypeSystem;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** Names that look like one that nothing answers to: few characters differ, or it begins them. */
public final class NearNames {
  private static final int SHOWN = 3;
  private static final int NAME_LIMIT = 128;

  private final String wanted;
  private final int most;
  private final Map<String, Integer> found = new LinkedHashMap<>();

  private NearNames(String wanted) {
    this.wanted = wanted.toLowerCase(Locale.ROOT);
    this.most = wanted.length() < 4 ? 1 : wanted.length() < 9 ? 2 : 3;
  }

  /** The nearest of {@code names} to {@code wanted}, best first; at most three. */
  public static List<String> of(String wanted, Collection<String> names) {
    var near = new NearNames(wanted);
    names.forEach(near::offer);
    return near.best();
  }

  /** Symbols and enumerators near a name. */
  static List<String> symbols(Program program, String wanted) {
    var near = new NearNames(wanted);
    try (var all = program.symbols().stream()) {
      all.map(Symbol::name).forEach(near::offer);
    }
    for (var source : program.types().sources()) {
      program.types().enumeratorsOf(source).keySet().forEach(near::offer);
    }
    var best = near.best();
    if (!best.isEmpty()) {
      return best;
    }
    int common = Math.max(1, wanted.length() * 2 / 3);
    return program.symbols().completions(wanted.substring(0, common), SHOWN);
  }

  /** Names of types of the same kind near a type's name. */
  public static List<String> types(TypeSystem types, TypeName wanted) {
    var near = new NearNames(wanted.name());
    for (var source : types.sources()) {
      try (var all = source.typeNames()) {
        all.map(TypeSource.Named::name)
            .filter(name -> wanted.kind() == TypeName.Kind.PLAIN || name.kind() == wanted.kind())
            .forEach(name -> near.offer(name.name()));
      }
    }
    return near.best();
  }

  /** Members near a name, also those of anonymous structures. */
  static List<String> members(CType type, String wanted) {
    var near = new NearNames(wanted);
    members(type, 0).forEach(near::offer);
    return near.best();
  }

  private static Stream<String> members(CType type, int depth) {
    if (depth > 16 || !(type.resolved() instanceof CompositeType c)) {
      return Stream.empty();
    }
    return c.members().stream()
        .flatMap(m -> m.name().isEmpty() ? members(m.type(), depth + 1) : Stream.of(m.name()));
  }

  private void offer(String name) {
    if (name.isEmpty()
        || Math.abs(name.length() - wanted.length()) > most
        || name.length() > NAME_LIMIT) {
      return;
    }
    int distance = distance(name.toLowerCase(Locale.ROOT));
    if (distance <= most) {
      found.putIfAbsent(name, distance);
    }
  }

  /** Damerau's and Levenshtein's distance, neighbours exchanged counting as one. */
  private int distance(String name) {
    int[] before = new int[name.length() + 1];
    int[] last = new int[name.length() + 1];
    int[] row = new int[name.length() + 1];
    for (int j = 0; j < last.length; j++) {
      last[j] = j;
    }
    for (int i = 1; i <= wanted.length(); i++) {
      row[0] = i;
      int least = i;
      for (int j = 1; j <= name.length(); j++) {
        boolean same = wanted.charAt(i - 1) == name.charAt(j - 1);
        int cost = last[j - 1] + (same ? 0 : 1);
        cost = Math.min(cost, Math.min(last[j], row[j - 1]) + 1);
        if (i > 1
            && j > 1
            && wanted.charAt(i - 1) == name.charAt(j - 2)
            && wanted.charAt(i - 2) == name.charAt(j - 1)) {
          cost = Math.min(cost, before[j - 2] + 1);
        }
        row[j] = cost;
        least = Math.min(least, cost);
      }
      if (least > most) {
        return least;
      }
      var spare = before;
      before = last;
      last = row;
      row = spare;
    }
    return last[name.length()];
  }

  private List<String> best() {
    var names = new ArrayList<>(found.keySet());
    names.sort(Comparator.comparingInt((String name) -> found.get(name)).thenComparing(n -> n));
    return List.copyOf(names.subList(0, Math.min(SHOWN, names.size())));
  }
}
