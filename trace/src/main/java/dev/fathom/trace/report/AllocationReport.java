// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.report;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.trace.analysis.Allocations;
import dev.fathom.trace.analysis.Allocations.Branch;
import dev.fathom.trace.analysis.Allocations.Key;
import dev.fathom.trace.analysis.Allocations.Node;
import dev.fathom.trace.text.Numbers;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Shows {@link Allocations}. */
public final class AllocationReport {
  private AllocationReport() {}

  public static void show(Node root, Output out) {
    if (out.lines()) {
      new Branches(out).draw(tree(root));
    } else {
      outline(root, 0, out);
    }
  }

  private static Branches.Node tree(Node node) {
    var lines = new ArrayList<String>();
    lines.add(name(node.key()));
    lines.add("count: " + node.count());
    if (node.unused() > 0) {
      lines.add("unused: " + (long) Allocations.share(node.unused(), node.bytes()) + "%");
    }
    var children = new ArrayList<Branches.Node>();
    node.groups().forEach(group -> children.add(tree(group)));
    node.branches().forEach(branch -> children.add(tree(branch, node.count())));
    return new Branches.Node(lines, children);
  }

  private static String name(Key key) {
    return switch (key) {
      case Key.All() -> "All";
      case Key.Allocator(String name) -> name;
      case Key.Size(var of, long bytes) -> bytes + " " + of.name().toLowerCase(Locale.ROOT);
    };
  }

  private static Branches.Node tree(Branch branch, long all) {
    var lines = new ArrayList<>(branch.functions());
    lines.set(
        0,
        "("
            + Numbers.fixed(Allocations.share(branch.count(), all), 2)
            + "% #"
            + branch.count()
            + ") "
            + lines.getFirst());
    return new Branches.Node(
        lines, branch.branches().stream().map(child -> tree(child, all)).toList());
  }

  private static void outline(Node node, int depth, Output out) {
    var fields = new ArrayList<Datum.Field>();
    fields.add(Output.field("group", Cell.text(name(node.key()))));
    fields.add(Output.field("count", Cell.decimal(node.count())));
    fields.add(Output.field("bytes", Cell.decimal(node.bytes())));
    fields.add(Output.field("unused_bytes", Cell.decimal(node.unused())));
    out.sink().accept(new Datum.Outline(depth, List.copyOf(fields)));
    node.groups().forEach(group -> outline(group, depth + 1, out));
    node.branches().forEach(branch -> outline(branch, depth + 1, out));
  }

  private static void outline(Branch branch, int depth, Output out) {
    out.sink()
        .accept(
            new Datum.Outline(
                depth,
                List.of(
                    Output.field("functions", Cell.text(String.join("\n", branch.functions()))),
                    Output.field("count", Cell.decimal(branch.count())))));
    branch.branches().forEach(child -> outline(child, depth + 1, out));
  }
}
