// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Grammar;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.TreeMap;
import java.util.stream.Stream;

/** {@code ::dcmds}. */
final class DcmdsCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("dcmds", "list available debugger commands")
        .flag('n', "match the name only, not the summary")
        .arguments("[pattern]")
        .help(
            """
            Lists the commands, those in crash's spelling too, with a summary of each. A pattern (a
            regular expression) picks those in whose name or summary it is found.

                > ::dcmds -n ^ps
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var filter = NameList.filter(call);
    var found = new TreeMap<String, String>();
    for (var grammar : Grammar.values()) {
      for (var group : call.environment().groups()) {
        for (var name : group.names(grammar)) {
          var spec = call.environment().command(grammar, name).orElseThrow().spec();
          if (filter.test(name, spec.summary())) {
            found.putIfAbsent(spec.typed(), spec.summary());
          }
        }
      }
    }
    return Stream.concat(
        NameList.header("commands"),
        found.entrySet().stream().map(entry -> NameList.row(entry.getKey(), entry.getValue())));
  }
}
