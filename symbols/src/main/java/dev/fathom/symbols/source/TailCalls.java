// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.source;

import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.Die;
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

  private final DwarfSource source;
  private final Die wanted;
  private final List<List<Long>> ways = new ArrayList<>();
  private int tried;
  private boolean tooMany;

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
    return search.tooMany || search.ways.isEmpty() ? List.of() : common(search.ways);
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
      if (!die.flag(At.CALL_TAIL_CALL) && !die.flag(At.GNU_TAIL_CALL)) {
        continue;
      }
      if (++tried > MOST_TRIED || way.size() >= MOST_CALLS || ways.size() >= MOST_WAYS) {
        tooMany = true;
        return;
      }
      var target = target(source, die);
      if (target.isEmpty() || !seen.add(site.getKey())) {
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
