// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import dev.fathom.base.Range;
import dev.fathom.base.TargetException;
import dev.fathom.kernel.PageClasses;
import dev.fathom.kernel.Progress;
import dev.fathom.session.dump.DumpOptions.Exclusion;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which pages there are and which are to be in the dump, before any was read.
 *
 * @param existing the pages of the machine
 * @param wanted those that are not left out for their use
 * @param excluded how many were left out, by use
 */
record Selection(PageSet existing, PageSet wanted, Map<PageClasses.Use, Long> excluded) {
  static final int PAGE = 4096;
  static final int SHIFT = 12;

  /** More page frames than this no machine has. */
  static final long MAX_PAGES = 1L << 36;

  /**
   * @param classes what pages are used for, where some are to be left out for it
   */
  static Selection of(
      String name,
      List<Range> ranges,
      Optional<PageClasses> classes,
      Set<Exclusion> exclusions,
      Progress progress) {
    var existing = existing(name, ranges);
    var wanted = existing.copy();
    var uses = uses(exclusions);
    var excluded = new EnumMap<PageClasses.Use, Long>(PageClasses.Use.class);
    if (classes.isPresent()) {
      exclude(wanted, classes.get(), uses, excluded, progress);
    }
    return new Selection(existing, wanted, excluded);
  }

  private static PageSet existing(String name, List<Range> ranges) {
    long limit = 0;
    long count = 0;
    for (Range range : ranges) {
      long end = (range.end() + PAGE - 1) >>> SHIFT;
      if (Long.compareUnsigned(end, MAX_PAGES) > 0) {
        throw new TargetException(
            name + ": memory up to 0x" + Long.toHexString(range.end()) + ", which no machine has");
      }
      limit = Math.max(limit, end);
      count += range.length() >>> SHIFT;
    }
    // Three bitmaps; the rest of the heap is for the work.
    if (count / 8 * 3 > Runtime.getRuntime().maxMemory() / 2) {
      throw new TargetException(
          name + ": " + (count >> 18) + " GiB of memory: too much for this Java heap");
    }
    var existing = new PageSet(limit);
    for (Range range : ranges) {
      existing.set(range.start() >>> SHIFT, (range.end() + PAGE - 1) >>> SHIFT);
    }
    return existing;
  }

  /** The uses that the exclusions mean; private cache implies the rest of the cache. */
  static Set<PageClasses.Use> uses(Set<Exclusion> exclusions) {
    var uses = EnumSet.noneOf(PageClasses.Use.class);
    for (var exclusion : exclusions) {
      switch (exclusion) {
        case ZERO -> {}
        case CACHE -> uses.add(PageClasses.Use.CACHE);
        case PRIVATE -> {
          uses.add(PageClasses.Use.CACHE);
          uses.add(PageClasses.Use.PRIVATE_CACHE);
        }
        case USER -> uses.add(PageClasses.Use.USER);
        case FREE -> uses.add(PageClasses.Use.FREE);
      }
    }
    return uses;
  }

  private static void exclude(
      PageSet wanted,
      PageClasses classes,
      Set<PageClasses.Use> uses,
      Map<PageClasses.Use, Long> excluded,
      Progress progress) {
    var all = PageClasses.Use.values();
    var counts = new long[all.length];
    var left = new boolean[all.length];
    for (var use : uses) {
      left[use.ordinal()] = true;
    }
    for (int chunk = 0; chunk < wanted.chunkCount(); chunk++) {
      progress.step("looking what pages are used for", chunk, wanted.chunkCount());
      if (!wanted.has(chunk)) {
        continue;
      }
      long first = (long) chunk * PageSet.CHUNK;
      var into = new byte[(int) Math.min(PageSet.CHUNK, wanted.limit() - first)];
      classes.read(first, into);
      for (int i = 0; i < into.length; i++) {
        if (left[into[i]] && wanted.get(first + i)) {
          wanted.clear(first + i);
          counts[into[i]]++;
        }
      }
    }
    for (var use : uses) {
      excluded.put(use, counts[use.ordinal()]);
    }
  }
}
