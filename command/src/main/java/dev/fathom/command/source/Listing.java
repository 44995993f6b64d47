// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.source;

import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.UsageException;
import dev.fathom.command.GdbState;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.source.SourceLine;
import java.util.ArrayList;
import java.util.Optional;
import java.util.stream.Stream;

/** Lines of source files, as gdb's {@code list} shows them. */
public final class Listing {
  private static final int LINES = 10;

  /** Of functions of one name, so many are shown. */
  private static final int MOST_PLACES = 20;

  private final Invocation call;
  private final String path;
  private final int first;
  private final int last;

  private Listing(Invocation call, String path, int first, int last) {
    this.call = call;
    this.path = path;
    this.first = first;
    this.last = last;
  }

  /** Whether {@code text} can only be meant for {@link #run} and not be an address. */
  public static boolean isMeant(String text) {
    return text.isEmpty()
        || text.equals("-")
        || text.startsWith("*")
        || comma(text) > 0
        || Lines.isFileLine(text);
  }

  /**
   * Shows the lines that {@code text} names.
   *
   * @param text a place, {@code FIRST,LAST}, {@code FIRST,}, {@code -} for the lines before those
   *     that were shown last, nothing for those behind them
   */
  public static Stream<Item> run(Invocation call, String text) {
    var place = text.strip();
    if (!isMeant(place) || Lines.isFileLine(place) || place.startsWith("*")) {
      return everywhere(call, place);
    }
    return Stream.of(Item.show(new Datum.Text(of(call, place).show())));
  }

  /** Where the comma between two places stands, outside of brackets and quotes; else -1. */
  private static int comma(String text) {
    int depth = 0;
    boolean quoted = false;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      quoted ^= c == '\'';
      depth += c == '(' || c == '<' ? 1 : c == ')' || c == '>' ? -1 : 0;
      if (c == ',' && depth == 0 && !quoted) {
        return i;
      }
    }
    return -1;
  }

  /** Around all the places that {@code text} names. */
  private static Stream<Item> everywhere(Invocation call, String text) {
    var places = Lines.all(call, text);
    if (places.size() > MOST_PLACES) {
      call.remark((places.size() - MOST_PLACES) + " more places are left out");
    }
    var items = new ArrayList<Item>();
    for (var line : places.subList(0, Math.min(places.size(), MOST_PLACES))) {
      var heading = places.size() > 1 ? line.text() + ":\n" : "";
      items.add(Item.show(new Datum.Text(heading + around(call, line).show())));
    }
    return items.stream();
  }

  /** The lines of what is no place. */
  private static Listing of(Invocation call, String text) {
    var shown = call.environment().gdb().listed();
    int comma = comma(text);
    if (text.equals("-")) {
      if (shown.isEmpty()) {
        return around(call, Lines.selected(call));
      }
      int first = shown.get().first();
      if (first <= 1) {
        throw new EvalException("the first lines of " + shown.get().path() + " were shown already");
      }
      return new Listing(call, shown.get().path(), Math.max(1, first - LINES), first - 1);
    }
    if (text.isEmpty()) {
      if (shown.isEmpty()) {
        return around(call, Lines.selected(call));
      }
      int first = shown.get().last() + 1;
      return new Listing(call, shown.get().path(), first, first + LINES - 1);
    }
    var from = text.substring(0, comma).strip();
    var to = text.substring(comma + 1).strip();
    var start = Lines.of(call, from);
    if (to.isEmpty()) {
      return new Listing(call, start.path(), start.line(), start.line() + LINES - 1);
    }
    // A bare number is a line of the file that the first one is in.
    int end = to.matches("\\d{1,9}") ? Integer.parseInt(to) : Lines.of(call, to).line();
    if (end < start.line()) {
      throw new UsageException("line " + end + " comes before line " + start.line());
    }
    return new Listing(call, start.path(), start.line(), end);
  }

  private static Listing around(Invocation call, SourceLine line) {
    int first = Math.max(1, line.line() - LINES / 2);
    return new Listing(call, line.path(), first, first + LINES - 1);
  }

  private String show() {
    var gdb = call.environment().gdb();
    var lines = SourceText.of(call, path);
    if (lines.isEmpty()) {
      gdb.listed(Optional.empty());
      throw new EvalException(
          path + " is not found; `directory FOLDER` names folders with sources");
    }
    int count = lines.get().size();
    if (first > count) {
      throw new EvalException(path + " has only " + count + " lines");
    }
    int end = Math.min(last, count);
    var text = new StringBuilder();
    for (int i = first; i <= end; i++) {
      text.append(i == first ? "" : "\n").append(i).append('\t').append(lines.get().get(i - 1));
    }
    gdb.listed(Optional.of(new GdbState.Listed(path, first, end)));
    return text.toString();
  }
}
