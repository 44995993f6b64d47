// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.report;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.trace.Trace;
import dev.fathom.trace.TraceEvent;
import dev.fathom.trace.analysis.TimeSlice;
import dev.fathom.trace.analysis.TimedEvent;
import dev.fathom.trace.analysis.TimedEvents;
import dev.fathom.trace.analysis.WakeupLatency;
import dev.fathom.trace.frame.Backtraces;
import dev.fathom.trace.frame.FrameStyle;
import dev.fathom.trace.text.PrintFormat;
import dev.fathom.trace.text.Times;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Lists events. */
public final class EventReport {
  /** What else than its arguments an event may show. */
  @FunctionalInterface
  public interface Details {
    /** No event has any. */
    Details NONE = _ -> Optional.empty();

    Optional<String> of(TraceEvent event);
  }

  /** In what order events with durations are listed. */
  public enum Order {
    /** As they end. */
    END,
    TIME,
    /** The longest first. */
    DURATION
  }

  private final Trace trace;
  private final TimeSlice slice;
  private final Optional<Backtraces> backtraces;
  private final FrameStyle style;
  private final boolean multiline;
  private final Output out;
  private final PrintFormat[] formats;
  private final StringBuilder line = new StringBuilder();

  /**
   * @param backtraces where they are to be shown
   * @param multiline whether each frame has a line of its own
   */
  public EventReport(
      Trace trace,
      TimeSlice slice,
      Optional<Backtraces> backtraces,
      FrameStyle style,
      boolean multiline,
      Output out) {
    this.trace = trace;
    this.slice = slice;
    this.backtraces = backtraces;
    this.style = style;
    this.multiline = multiline;
    this.out = out;
    formats = new PrintFormat[trace.tracepoints().size()];
  }

  /**
   * Lists events as they are.
   *
   * @param prefix what the names of the listed tracepoints begin with
   */
  public void list(Optional<String> prefix, Details details) {
    var events = trace.events();
    while (events.next()) {
      boolean asked = prefix.isEmpty() || events.tracepoint().name().startsWith(prefix.get());
      if (asked && slice.contains(events.time())) {
        if (out.lines()) {
          head(events);
          right(Times.seconds(events.time()), 19);
          name(events);
          var other = details.of(events);
          if (other.isPresent()) {
            line.append(other.get());
          } else {
            arguments(events);
          }
          endLine(events);
        } else {
          var fields = fields(events);
          details.of(events).ifPresent(text -> fields.add(field("details", Cell.text(text))));
          end(events, fields);
        }
      }
    }
  }

  /** Lists what has a duration; gives how often something began again before it had ended. */
  public long timed(Order order) {
    var pairs = new TimedEvents();
    var all = new ArrayList<TimedEvent>();
    var events = trace.events();
    while (events.next()) {
      pairs.accept(events).ifPresent(one -> timed(order, one, all));
    }
    pairs.rest().forEach(one -> timed(order, one, all));
    switch (order) {
      case END -> {}
      case TIME -> all.sort(Comparator.comparingLong(one -> one.event().time()));
      case DURATION -> all.sort(Comparator.comparingLong(one -> -one.duration()));
    }
    all.forEach(this::timed);
    return pairs.nested();
  }

  private void timed(Order order, TimedEvent one, List<TimedEvent> all) {
    if (slice.touches(one.event().time(), one.end())) {
      if (order == Order.END) {
        timed(one);
      } else {
        all.add(one);
      }
    }
  }

  private void timed(TimedEvent one) {
    var event = one.event();
    if (out.lines()) {
      head(event);
      right(Times.seconds(event.time()), 20);
      line.append(' ');
      right(Times.millis(one.duration()), 7);
      name(event);
      arguments(event);
      endLine(event);
    } else {
      var fields = fields(event);
      fields.add(field("duration_ns", Cell.decimal(one.duration())));
      fields.add(field("open", new Cell.Flag(one.open())));
      end(event, fields);
    }
  }

  /**
   * Lists how long threads took to run after they were woken.
   *
   * @param header whether a line of titles stands above
   */
  public void wakeups(boolean header) {
    if (header && out.lines()) {
      out.line(
          "THREAD             THREAD-NAME     CPU         TIMESTAMP[s]    WAKEUP[ms]  WAIT[ms]"
              + " BACKTRACE");
    }
    WakeupLatency.find(
        trace.events(),
        slice,
        (event, wakeup, wait) -> {
          if (out.lines()) {
            thread(event);
            right(Integer.toUnsignedString(event.cpu()), 3);
            line.append(' ');
            right(Times.seconds(event.time()), 20);
            line.append(' ');
            right(Times.exactMillis(wakeup), 13);
            line.append(' ');
            right(Times.millis(wait), 9);
            line.append(' ');
            endLine(event);
          } else {
            var fields = fields(event);
            fields.add(field("wakeup_ns", Cell.decimal(wakeup)));
            fields.add(field("wait_ns", Cell.decimal(wait)));
            end(event, fields);
          }
        });
  }

  // Lines

  private void thread(TraceEvent event) {
    line.setLength(0);
    var thread = event.thread();
    var id = Long.toHexString(thread.id());
    line.append("0x").repeat('0', 16 - id.length()).append(id).append(' ');
    line.append(thread.name()).repeat(' ', Math.max(0, 15 - thread.name().length())).append(' ');
  }

  private void head(TraceEvent event) {
    thread(event);
    right(Integer.toUnsignedString(event.cpu()), 2);
    line.append(' ');
  }

  private void right(String text, int width) {
    line.repeat(' ', Math.max(0, width - text.length())).append(text);
  }

  private void name(TraceEvent event) {
    var name = event.tracepoint().name();
    line.append(' ').append(name).repeat(' ', Math.max(0, 20 - name.length())).append(' ');
  }

  private PrintFormat format(TraceEvent event) {
    int number = event.tracepoint().number();
    if (formats[number] == null) {
      formats[number] = PrintFormat.of(event.tracepoint());
    }
    return formats[number];
  }

  private void arguments(TraceEvent event) {
    format(event).append(line, event);
  }

  private void endLine(TraceEvent event) {
    if (backtraces.isPresent() && event.frames() > 0) {
      var separator = multiline ? "\n  " : "   [";
      for (var frame : frames(event)) {
        line.append(separator).append(frame);
        separator = multiline ? "\n  " : ", ";
      }
      line.append(multiline ? "\n" : separator.equals(", ") ? "]" : "   []");
    }
    out.line(line.toString());
  }

  private List<String> frames(TraceEvent event) {
    return Backtraces.withoutTracer(backtraces.orElseThrow().of(event)).stream()
        .map(style::text)
        .toList();
  }

  // Data

  private static Datum.Field field(String key, Cell value) {
    return Output.field(key, value);
  }

  private static List<Datum.Field> fields(TraceEvent event) {
    var fields = new ArrayList<Datum.Field>();
    fields.add(field("thread", Cell.hex(event.threadId())));
    fields.add(field("thread_name", Cell.text(event.thread().name())));
    fields.add(field("cpu", ProfileReport.cpu(event.cpu())));
    fields.add(field("time_ns", Cell.unsigned(event.time())));
    fields.add(field("tracepoint", Cell.text(event.tracepoint().name())));
    var arguments = event.tracepoint().arguments();
    for (int i = 0; i < arguments.size(); i++) {
      var argument = arguments.get(i);
      Cell value =
          switch (argument.type()) {
            case CHAR, U8, U16, U32, U64 -> Cell.unsigned(event.integer(i));
            case I8, I16, I32, I64 -> Cell.decimal(event.integer(i));
            case BOOL -> new Cell.Flag(event.integer(i) != 0);
            case F32, F64 -> new Cell.Real(event.real(i));
            case POINTER -> Cell.hex(event.integer(i));
            case STRING -> Cell.text(event.text(i));
            case BYTES -> Cell.text(java.util.HexFormat.of().formatHex(event.bytes(i)));
          };
      fields.add(field("arg_" + argument.name(), value));
    }
    return fields;
  }

  private void end(TraceEvent event, List<Datum.Field> fields) {
    if (backtraces.isPresent() && event.frames() > 0) {
      fields.add(field("backtrace", Cell.text(String.join("\n", frames(event)))));
    }
    out.sink().accept(new Datum.Fields("event", List.copyOf(fields), 0));
  }
}
