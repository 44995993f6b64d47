// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.lang.CTextTypes;
import dev.fathom.lang.DataModel;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.TypeSystem;
import dev.fathom.model.type.TypedefType;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code ::typedef}. */
final class TypedefCommand implements Command {
  static final String SOURCE = "c:typed";

  private static final String FILE = "::typedef";
  private static final String BEFORE = "typedef ";

  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("typedef", "create synthetic types")
        .flag('l', "list the types made so far")
        .option('c', "model", "lay types out for lp64 or ilp32 from now on")
        .arguments("[type name]")
        .help(
            """
            Gives a type a name. The type is C: one that is known, or a definition of a structure,
            union or enum in quotes, which is laid out as compilers for the program's data model do.
            Types made here are found where no other source has one of that name. `::cheader` reads
            whole files.

                > ::typedef "struct pair { int key; void *value; }" pair_t
                > ffff888003858000::print pair_t
                > ::typedef -l
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args();
    var types = call.program().types();
    if (args.has('l')) {
      args.expect(0, 0);
      return find(types)
          .map(source -> source.stream().map(TypedefCommand::line))
          .orElse(Stream.empty());
    }
    if (args.option('c').isPresent()) {
      var model = model(args.option('c').get().text());
      if (find(types).isPresent()) {
        throw new UsageException("the data model is set before the first type is made");
      }
      types.add(new CTextTypes(SOURCE, model, types));
      if (args.isEmpty()) {
        return Stream.empty();
      }
    }
    args.expect(1, 2);
    var definition = args.word(0);
    requireClosed(definition);
    if (args.count() == 1) {
      throw new UsageException("a name is needed behind the type");
    }
    var name = args.word(1);
    if (!name.matches("[A-Za-z_][A-Za-z0-9_]*")) {
      throw new UsageException("'" + name + "' is not a name");
    }
    var source =
        find(types)
            .orElseGet(
                () -> {
                  var made = new CTextTypes(SOURCE, DataModel.of(types), types);
                  types.add(made);
                  return made;
                });
    try {
      // In a line of its own: the definition may end in a comment.
      source.read(FILE, BEFORE + definition + "\n" + name + ";");
    } catch (EvalException e) {
      throw e.span().isEmpty() ? e : at(e, e.span().get().start() - BEFORE.length());
    } finally {
      types.forget();
    }
    return Stream.empty();
  }

  /** The error with the column of what was typed. */
  private static EvalException at(EvalException e, int position) {
    var what = e.getMessage().replaceFirst("^" + FILE + ":[0-9]+:[0-9]+: ", "");
    return new EvalException("the type: " + what + " at column " + (Math.max(0, position) + 1));
  }

  /** What is not closed would take the name for one of its members. */
  private static void requireClosed(String definition) {
    var open = CTextTypes.unclosed(definition);
    if (open.isPresent()) {
      throw new EvalException(
          "the type: expected '}' for the '{' at column "
              + (open.getAsInt() + 1)
              + ", but found the end: "
              + definition.strip());
    }
  }

  private static Item line(CType type) {
    var text =
        type instanceof TypedefType t
            ? "typedef " + t.target().declare(t.name())
            : type.text() + " (" + type.bytes() + " bytes)";
    return Item.show(new Datum.Text(text));
  }

  private static DataModel model(String name) {
    return switch (name) {
      case "lp64" -> DataModel.LP64;
      case "ilp32" -> DataModel.ILP32;
      default -> throw new UsageException("'" + name + "' is no data model: lp64 or ilp32");
    };
  }

  private static Optional<CTextTypes> find(TypeSystem types) {
    return types.known().stream()
        .filter(CTextTypes.class::isInstance)
        .map(CTextTypes.class::cast)
        .filter(source -> source.name().equals(SOURCE))
        .findFirst();
  }
}
