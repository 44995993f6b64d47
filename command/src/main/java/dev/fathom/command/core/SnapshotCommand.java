// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.OutputFile;
import dev.fathom.session.Pause;
import dev.fathom.session.dump.DumpJob;
import dev.fathom.session.dump.DumpOptions;
import dev.fathom.session.dump.DumpOptions.Compression;
import dev.fathom.session.dump.DumpOptions.Format;
import dev.fathom.session.dump.DumpReport;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** {@code ::snapshot}. */
final class SnapshotCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("snapshot", "keep a consistent copy of the target in a file")
        .flag('c', "compress it: a kdump file instead of an ELF one")
        .flag('f', "replace a file that is there")
        .arguments("file")
        .help(
            """
            Copies the target's memory and registers to a file that Fathom opens like any dump, and
            that can be looked at while the guest goes on. A guest that runs is stopped for the time
            of the copy only: an ELF file on a disk of memory, such as /dev/shm, is the quickest.
            The command `fathom dump` does the same, and can leave pages out.

                > ::snapshot /dev/shm/before.elf
                131136 pages in /dev/shm/before.elf; the guest stood still for 0.21 s
                fathom: note: look at it with: fathom open /dev/shm/before.elf
                > ! fathom open /dev/shm/before.elf -e ::ps
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(1, 1);
    String name = args.operands().getFirst().text();
    Path file = OutputFile.named(name, call.session(), call.environment().settings());
    var options =
        new DumpOptions(
            args.has('c') ? Format.KDUMP : Format.ELF,
            args.has('c') ? Compression.ZSTD : Compression.NONE,
            false,
            Set.of(),
            false,
            args.has('f'));
    var target = call.session().target();
    DumpReport report;
    double seconds;
    boolean stopped;
    try (var pause = Pause.of(target, true)) {
      if (pause.runs()) {
        call.warn("the guest runs while it is copied: its pages are not of one moment");
      }
      stopped = pause.stopped();
      report =
          new DumpJob(
                  target,
                  Optional.of(call.kernel()),
                  options,
                  (what, done, total) -> call.checkInterrupt(),
                  call::warn)
              .toFile(file);
      seconds = pause.nanos() / 1e9;
    }
    if (report.missing() + report.unreadable() > 0) {
      call.lost("pages", report.missing() + report.unreadable());
    }
    var fields = new ArrayList<Datum.Field>();
    fields.add(new Datum.Field("file", "file", Cell.text(name)));
    fields.add(new Datum.Field("pages", "pages", Cell.decimal(report.stored())));
    String still = "";
    if (stopped) {
      fields.add(new Datum.Field("stopped_seconds", "stood still", new Cell.Real(seconds)));
      still = String.format(Locale.ROOT, "; the guest stood still for %.2f s", seconds);
    }
    call.remark("look at it with: fathom open " + file.toAbsolutePath());
    String text = report.stored() + " pages in " + name + still;
    return Stream.of(Item.show(new Datum.Fact(text, List.copyOf(fields))));
  }
}
