// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.report;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Sink;
import java.util.List;

/**
 * Where a report goes.
 *
 * @param lines whether lines for people are wanted, not values
 */
public record Output(Sink sink, boolean lines) {
  void line(String text) {
    sink.accept(new Datum.Text(text));
  }

  void row(Cell... cells) {
    sink.accept(new Datum.Row(List.of(cells)));
  }

  void header(String name, String... keys) {
    var columns = new java.util.ArrayList<Datum.Column>();
    for (var key : keys) {
      columns.add(new Datum.Column(key, key, 0, Datum.Align.LEFT));
    }
    sink.accept(new Datum.Header(name, columns));
  }

  static Datum.Field field(String key, Cell value) {
    return new Datum.Field(key, key, value);
  }

  static String left(String text, int width) {
    return text.length() >= width ? text : text + " ".repeat(width - text.length());
  }

  static String right(String text, int width) {
    return text.length() >= width ? text : " ".repeat(width - text.length()) + text;
  }
}
