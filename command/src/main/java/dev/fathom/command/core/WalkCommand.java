// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.EvalException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.Tasks;
import dev.fathom.kernel.Walker;
import dev.fathom.model.Value;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code ::walk}. */
final class WalkCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("walk", "walk a data structure")
        .addressOptional()
        .arguments("walk_name [variable]")
        .help(
            """
            Steps through a collection that is known by name (`::walkers` lists them) and gives the
            address of each element. Some walks start at an address and need it in front. The
            walk is lazy: `::head` stops it early. A list that is corrupt ends with a note.

            With a variable, that variable follows the element while later commands of the pipeline
            move dot.

                > ::walk thread | ::findstack
                > ::walk proc p | ::map .+1 | ::eval '<p=K'
                > modules::walk list
                > 1::walk children

            A thread's or process's id may stand for the address of its structure.
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(1, 2);
    var walker = find(call, args.word(0));
    var start = start(call, walker);
    Stream<Value> values;
    try {
      values = walker.walk(call.program(), start, call);
    } catch (EvalException e) {
      throw new EvalException("failed to perform walk: " + e.getMessage());
    }
    if (args.count() == 2) {
      var variable = args.word(1);
      dev.fathom.command.Variables.checkName(variable);
      values =
          values.peek(value -> call.environment().variables().set(variable, Values.dot(value)));
    }
    return values.map(Item::value);
  }

  private static Walker find(Invocation call, String name) {
    for (var walker : call.kernel().walkers()) {
      if (walker.name().equals(name)) {
        return walker;
      }
    }
    throw new EvalException("failed to perform walk: unknown walk name '" + name + "'");
  }

  private static Optional<Value> start(Invocation call, Walker walker) {
    // In a pipe every walk has an address; those that need none do without it.
    return switch (walker.start()) {
      case REQUIRED -> {
        if (!call.hasAddress()) {
          throw new EvalException("failed to perform walk: walker requires starting address");
        }
        yield call.value().map(value -> Tasks.orValue(call, value));
      }
      case OPTIONAL -> call.value().map(value -> Tasks.orValue(call, value));
      case NONE -> {
        if (call.hasAddress() && !call.piped()) {
          throw new EvalException(
              "failed to perform walk: walker does not accept starting address");
        }
        yield Optional.empty();
      }
    };
  }
}
