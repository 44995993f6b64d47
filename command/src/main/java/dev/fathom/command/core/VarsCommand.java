// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.TextRenderer;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.Variables;
import java.util.List;
import java.util.stream.Stream;

/** {@code ::vars} and {@code $v}. */
final class VarsCommand implements Command {
  private final boolean nonZeroOnly;

  /**
   * @param nonZeroOnly whether variables that are 0 are left out, as {@code $v} does
   */
  VarsCommand(boolean nonZeroOnly) {
    this.nonZeroOnly = nonZeroOnly;
  }

  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("vars", "print listing of variables")
        .alias("$v")
        .flag('n', "only those that are not 0")
        .flag('p', "as commands that would set them again")
        .flag('t', "only those that are tagged")
        .help(
            """
            Lists the variables and their values, registers included. `$v` leaves out those that
            are 0.

                > 10>mine; ::vars -n
                mine = 10
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(0, 0);
    return call.environment().variables().all().stream()
        .filter(v -> v.value() != 0 || !(nonZeroOnly || args.has('n')))
        .filter(v -> v.tagged() || !args.has('t'))
        .filter(v -> !v.readOnly() || !args.has('p'))
        .map(v -> Item.show(line(v, args.has('p'))));
  }

  private static Datum line(Variables.Variable variable, boolean command) {
    var value = TextRenderer.text(Cell.bareHex(variable.value()));
    return new Datum.Fact(
        command ? "0x" + value + ">" + variable.name() : variable.name() + " = " + value,
        List.of(
            new Datum.Field("name", "", Cell.text(variable.name())),
            new Datum.Field("value", "", Cell.hex(variable.value()))));
  }
}
