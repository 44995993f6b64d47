// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.source;

import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.Die;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The functions between a call and the function at work that have left the stack, since each called
 * the next as the last thing it did (DWARF 5, section 3.4.1). Where several ways lead there what
 * they begin with, and what they end with, is sure.
 */
final class TailCalls {
  /** Calls on a way. */
  private static final int MOST_CALLS = 32;

  /** Calls that are looked at before the question is given up. */
  private static final int MOST_TRIED = 2000;

  private static final int MOST_WAYS = 64;

  /** Functions that are looked at before it counts as possible that they lead back. */
  private static final int MOST_REACHED = 200;

  private final DwarfSource source;
  private final Die wanted;
  private final List<List<Long>> ways = new ArrayList<>();
  private int tried;

  /** Whether there may be ways that are not known. */
  private boolean unsure;

  private TailCalls(DwarfSource source, Die wanted) {
    this.source = source;
    this.wanted = wanted;
  }

  /**
   * The calls, innermost first, by the addresses behind them in the file.
   *
   * @param site a call that did not leave the stack
   * @param callee the function at work
   */
  static List<Long> between(DwarfSource source, Die site, Die callee) {
    var target = target(source, site);
    if (target.isEmpty() || source.same(target.get(), callee)) {
      return List.of();
    }
    var search = new TailCalls(source, callee);
    search.follow(target.get(), new ArrayList<>(), new HashSet<>());
    return search.unsure || search.ways.isEmpty() ? List.of() : common(search.ways);
  }

  /**
   * Whether a function may be at work again without having been called, since it, or one that it
   * left the stack to, left it to that function or to one that is not known.
   */
  static boolean mayRepeat(DwarfSource source, Die function) {
    var reached = new HashSet<Die>(Set.of(function));
    var left = new ArrayDeque<Die>(reached);
    while (!left.isEmpty()) {
      for (var site : source.callSites(left.remove()).values()) {
        if (!isTailCall(site)) {
          continue;
        }
        var target = target(source, site);
        if (target.isEmpty()
            || source.same(target.get(), function)
            || reached.size() >= MOST_REACHED) {
          return true;
        }
        if (reached.add(target.get())) {
          left.add(target.get());
        }
      }
    }
    return false;
  }

  private static boolean isTailCall(Die site) {
    return site.flag(At.CALL_TAIL_CALL) || site.flag(At.GNU_TAIL_CALL);
  }

  /** The function that a call is of, where it is always the same one. */
  private static Optional<Die> target(DwarfSource source, Die site) {
    return site.reference(At.CALL_ORIGIN)
        .or(() -> site.reference(At.ABSTRACT_ORIGIN))
        .flatMap(source::code);
  }

  private void follow(Die function, List<Long> way, Set<Long> seen) {
    for (var site : source.callSites(function).entrySet()) {
      var die = site.getValue();
      if (!isTailCall(die)) {
        continue;
      }
      var target = target(source, die);
      if (target.isEmpty()
          || ++tried > MOST_TRIED
          || way.size() >= MOST_CALLS
          || ways.size() >= MOST_WAYS) {
        unsure = true;
      }
      if (unsure) {
        return;
      }
      if (!seen.add(site.getKey())) {
        continue;
      }
      way.add(site.getKey());
      if (source.same(target.get(), wanted)) {
        ways.add(List.copyOf(way));
      } else {
        follow(target.get(), way, seen);
      }
      way.removeLast();
      seen.remove(site.getKey());
    }
  }

  /** What all ways begin and end with, the last call first. */
  private static List<Long> common(List<List<Long>> ways) {
    var first = ways.getFirst();
    int shortest = ways.stream().mapToInt(List::size).min().orElse(0);
    int begin = 0;
    while (begin < shortest && isSame(ways, begin, false)) {
      begin++;
    }
    int end = 0;
    while (end < shortest - begin && isSame(ways, end, true)) {
      end++;
    }
    var sure = new ArrayList<Long>(first.subList(0, begin));
    sure.addAll(first.subList(first.size() - end, first.size()));
    return sure.reversed();
  }

  private static boolean isSame(List<List<Long>> ways, int at, boolean fromEnd) {
    return ways.stream().map(way -> way.get(fromEnd ? way.size() - 1 - at : at)).distinct().count()
        == 1;
  }
}
