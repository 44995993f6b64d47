// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.report;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.trace.analysis.Profile;
import dev.fathom.trace.analysis.Profile.Node;
import dev.fathom.trace.analysis.Profile.Subject;
import dev.fathom.trace.text.Numbers;
import dev.fathom.trace.text.Times;
import java.util.ArrayList;
import java.util.List;

/** Shows a {@link Profile}. */
public final class ProfileReport {
  private ProfileReport() {}

  public static void show(Profile profile, Output out) {
    for (var group : profile.groups()) {
      if (out.lines()) {
        heading(group.subject(), out);
        new Branches(out).draw(branch(group.root(), group.root()));
      } else {
        outline(group.subject(), group.root(), 0, out);
      }
    }
  }

  private static void heading(Subject subject, Output out) {
    switch (subject) {
      case Subject.All() -> {}
      case Subject.OfThread(var thread) ->
          heading(out, "Thread " + thread.name() + " (0x" + Long.toHexString(thread.id()) + ")");
      case Subject.OfCpu(int cpu) -> {
        var number = Long.toHexString(Integer.toUnsignedLong(cpu));
        heading(out, "CPU 0x" + (number.length() < 2 ? "0" : "") + number);
      }
    }
  }

  private static void heading(Output out, String text) {
    out.line("");
    out.line("=== " + text + " ===");
    out.line("");
  }

  private static Branches.Node branch(Node node, Node root) {
    var lines = new ArrayList<String>();
    lines.add(label(node, root) + node.functions().getFirst());
    for (var function : node.functions().subList(1, node.functions().size())) {
      lines.add(" " + function);
    }
    return new Branches.Node(
        lines, node.children().stream().map(child -> branch(child, root)).toList());
  }

  private static String label(Node node, Node root) {
    var text = new StringBuilder();
    boolean timed = root.nanos() != 0;
    if (timed) {
      text.append(Times.human(node.nanos())).append(' ');
    }
    long part = timed ? node.nanos() : node.hits();
    long whole = timed ? root.nanos() : root.hits();
    text.append('(').append(Numbers.fixed(part * 100.0 / whole, 2)).append("%, #");
    return text.append(node.hits()).append(") ").toString();
  }

  private static void outline(Subject subject, Node node, int depth, Output out) {
    var fields = new ArrayList<Datum.Field>();
    if (depth == 0) {
      switch (subject) {
        case Subject.All() -> {}
        case Subject.OfThread(var thread) -> {
          fields.add(Output.field("thread", Cell.hex(thread.id())));
          fields.add(Output.field("thread_name", Cell.text(thread.name())));
        }
        case Subject.OfCpu(int cpu) -> fields.add(Output.field("cpu", cpu(cpu)));
      }
    }
    fields.add(Output.field("functions", Cell.text(String.join("\n", node.functions()))));
    fields.add(Output.field("hits", Cell.decimal(node.hits())));
    fields.add(Output.field("time_ns", Cell.decimal(node.nanos())));
    out.sink().accept(new Datum.Outline(depth, List.copyOf(fields)));
    for (var child : node.children()) {
      outline(subject, child, depth + 1, out);
    }
  }

  static Cell cpu(int number) {
    return Cell.unsigned(Integer.toUnsignedLong(number));
  }
}
