// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.consume;

import dev.fathom.dtrace.ir.Action;
import dev.fathom.dtrace.ir.Format;
import dev.fathom.dtrace.probe.EnabledProbe;
import dev.fathom.dtrace.record.DValue;
import dev.fathom.dtrace.record.Drop;
import dev.fathom.dtrace.record.Firing;
import dev.fathom.dtrace.record.Key;
import dev.fathom.dtrace.record.ProbeError;
import java.io.OutputStream;
import java.util.List;
import java.util.Optional;

/** Shows what a {@link Consumer} has in order. Calls between {@link #begin} and {@link #end}. */
interface Output {
  /**
   * A row of an aggregation, or of several joined by their keys.
   *
   * @param cells as many as there are tables; empty where one does not have the key
   */
  record Row(Key key, List<Optional<AggregateTable.Entry>> cells) {}

  /** A firing begins. */
  void begin(EnabledProbe enabled, Firing firing);

  /** A value is shown: {@code trace}, {@code tracemem}, {@code print}, {@code printf}. */
  void value(Action action, List<DValue> values);

  /**
   * Aggregations are shown.
   *
   * @param rows in order
   */
  void aggregations(List<AggregateTable> tables, List<Row> rows, Optional<Format> format);

  /** The firing is over. */
  void end();

  /** The program is over; what aggregations are left follows. */
  void finish();

  void error(EnabledProbe enabled, ProbeError error);

  void dropped(Drop what, int cpu, long count);

  /** Output goes to that file from here on, or back where it went at first if the name is empty. */
  void redirect(String file);

  /** Empties the file that output goes to. */
  void truncate();

  /** A command's own output comes next: what is held back must be written before. */
  void flush();

  /** Has what {@code action} shows go somewhere else. */
  void into(OutputStream to, Runnable action);
}
