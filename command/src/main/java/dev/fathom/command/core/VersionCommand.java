// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code ::version}. */
final class VersionCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("version", "print debugger version string")
        .help(
            """
            Shows the version of this program and of the Java runtime that runs it.

                > ::version
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    var version =
        Optional.ofNullable(VersionCommand.class.getModule().getDescriptor())
            .flatMap(java.lang.module.ModuleDescriptor::rawVersion)
            .orElse("development build");
    var java = Runtime.version().toString();
    return Stream.of(
        Item.show(
            new Datum.Fact(
                "fathom " + version + " (Java " + java + ")",
                List.of(
                    new Datum.Field("version", "", Cell.text(version)),
                    new Datum.Field("java", "", Cell.text(java))))));
  }
}
