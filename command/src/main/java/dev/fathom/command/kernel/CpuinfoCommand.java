// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.kernel;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Datum.Align;
import dev.fathom.base.Datum.Column;
import dev.fathom.base.LookupException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.kernel.KernelCpu;
import dev.fathom.model.Registers;
import java.util.ArrayList;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** {@code ::cpuinfo}. */
final class CpuinfoCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("cpuinfo", "print CPUs and the threads on them")
        .addressOptional()
        .flag('v', "also show where each CPU was executing")
        .help(
            """
            Shows each CPU: its number, the address of its run queue, what the kernel counts of
            it, and the thread on it. In front it takes a CPU's number or its run queue's address.

                > ::cpuinfo
                > 1::cpuinfo -v
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    var cpus = new ArrayList<>(call.kernel().cpus());
    if (call.hasAddress()) {
      long wanted = call.address();
      cpus.removeIf(
          c -> c.id() != wanted && c.object().map(o -> o.address() != wanted).orElse(true));
      if (cpus.isEmpty()) {
        throw new LookupException("CPU", "0x" + Long.toHexString(wanted));
      }
    }
    boolean verbose = call.args().has('v');
    var items = new ArrayList<Item>();
    for (var cpu : cpus) {
      if (items.isEmpty() && call.first()) {
        items.add(Item.show(header(cpu, verbose)));
      }
      items.add(Item.show(row(call, cpu, verbose)));
    }
    return items.stream();
  }

  private static Datum.Header header(KernelCpu cpu, boolean verbose) {
    var columns = new ArrayList<Column>();
    columns.add(new Column("id", "ID", 3, Align.RIGHT));
    columns.add(new Column("addr", "ADDR", 16, Align.LEFT));
    for (var fact : cpu.facts()) {
      columns.add(new Column(fact.key(), fact.label().toUpperCase(Locale.ROOT), 5, Align.RIGHT));
    }
    columns.add(new Column("thread", "THREAD", 16, Align.LEFT));
    columns.add(new Column("tid", "TID", 6, Align.RIGHT));
    columns.add(new Column("name", "NAME", verbose ? 16 : 0, Align.LEFT));
    if (verbose) {
      columns.add(new Column("pc", "PC", 0, Align.LEFT));
    }
    return new Datum.Header("cpus", columns);
  }

  private static Datum.Row row(Invocation call, KernelCpu cpu, boolean verbose) {
    var cells = new ArrayList<Cell>();
    cells.add(Cell.decimal(cpu.id()));
    cells.add(
        cpu.object()
            .map(o -> Cell.address(o.address()))
            .orElseGet(() -> new Cell.Absent("run queue not found")));
    for (var fact : cpu.facts()) {
      cells.add(fact.value());
    }
    var unknown = new Cell.Absent("thread not known");
    cells.add(cpu.current().map(t -> Cell.address(t.object().address())).orElse(unknown));
    cells.add(cpu.current().map(t -> Cell.decimal(t.id(), "not readable")).orElse(unknown));
    cells.add(cpu.current().map(t -> Cell.text(t.name())).orElse(unknown));
    if (verbose) {
      var pc = cpu.registers().map(Registers::pc).orElse(OptionalLong.empty());
      cells.add(
          pc.isPresent()
              ? new Cell.Symbolic(pc.getAsLong(), call.program().symbols().text(pc.getAsLong()))
              : new Cell.Absent("no registers in the target"));
    }
    return new Datum.Row(cells);
  }
}
