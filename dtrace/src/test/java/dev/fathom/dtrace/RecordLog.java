// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace;

import dev.fathom.dtrace.ir.Action;
import dev.fathom.dtrace.probe.Plan;
import dev.fathom.dtrace.record.DValue;
import dev.fathom.dtrace.record.Drop;
import dev.fathom.dtrace.record.Firing;
import dev.fathom.dtrace.record.Key;
import dev.fathom.dtrace.record.ProbeError;
import dev.fathom.dtrace.record.RecordSink;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.function.IntSupplier;
import java.util.stream.Collectors;

/** Writes what the probe side produced, a line each. */
final class RecordLog implements RecordSink {
  private final StringBuilder out = new StringBuilder();
  private final Plan plan;

  RecordLog(Plan plan) {
    this.plan = plan;
  }

  String text() {
    return out.toString();
  }

  void line(String text) {
    out.append(text).append('\n');
  }

  @Override
  public void firing(Firing f) {
    var probe = plan.enabled(f.epid()).probe();
    var actions = plan.clause(f.epid()).actions();
    out.append(probe.name()).append(" cpu ").append(f.cpu());
    if (f.speculation() != 0) {
      out.append(" speculation ").append(f.speculation());
    }
    for (var item : f.items()) {
      var action = actions.get(item.action());
      out.append(" | ").append(name(action));
      for (int i = 0; i < item.values().size(); i++) {
        out.append(' ')
            .append(value(item.values().get(i)))
            .append(':')
            .append(
                action.shapes().get(i).form().toString().charAt(0)
                    + Integer.toString(action.shapes().get(i).bytes()));
      }
    }
    out.append('\n');
  }

  private static String name(Action action) {
    var name = action.getClass().getSimpleName().toLowerCase(Locale.ROOT);
    return switch (action) {
      case Action.Printf p -> name + " " + quoted(p.format().text());
      case Action.System p -> name + " " + quoted(p.format().text());
      case Action.Freopen p -> name + " " + quoted(p.format().text());
      case Action.Printa p ->
          name + p.format().map(f -> " " + quoted(f.text())).orElse("") + " " + p.aggregations();
      case Action.Setopt s -> name + " " + s.name() + s.value().map(v -> "=" + v).orElse("");
      default -> name;
    };
  }

  private static String quoted(String text) {
    return "'" + text.replace("\n", "\\n") + "'";
  }

  private static String value(DValue v) {
    return switch (v) {
      case DValue.Num n -> Long.toString(n.value());
      case DValue.Text t -> '"' + t.bytes() + '"';
      case DValue.Blob b -> "<" + HexFormat.of().formatHex(b.bytes()) + ">";
      case DValue.Stack s ->
          Arrays.stream(s.pcs()).mapToObj(Long::toHexString).collect(Collectors.joining(","));
      case DValue.UserStack s -> "pid" + s.pid() + "/" + s.pcs().length;
      case DValue.UserAddress a -> "pid" + a.pid() + "/" + Long.toHexString(a.address());
    };
  }

  @Override
  public void aggregate(int aggregation, Key key, IntSupplier cpu, long value, long increment) {
    var a = plan.program().aggregation(aggregation);
    line(
        "@"
            + a.name()
            + key.values().stream().map(RecordLog::value).collect(Collectors.toList())
            + " "
            + a.function().text()
            + a.parameters()
            + " cpu "
            + cpu.getAsInt()
            + " value "
            + value
            + (increment == 1 ? "" : " by " + increment));
  }

  @Override
  public void merge(int aggregation, Key key, int cpu, long[] data) {
    throw new UnsupportedOperationException("the interpreter feeds single values");
  }

  @Override
  public void error(ProbeError e) {
    line(
        "error "
            + plan.enabled(e.epid()).probe().name()
            + " statement "
            + e.action()
            + ": "
            + e.kind().text()
            + (e.kind().hasAddress() ? " 0x" + Long.toHexString(e.value()) : ""));
  }

  @Override
  public void dropped(Drop what, int cpu, long count) {
    line(count + " " + what.text(count) + " cpu " + cpu);
  }
}
