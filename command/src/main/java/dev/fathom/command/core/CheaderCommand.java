// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Datum;
import dev.fathom.base.TargetException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.lang.CTextTypes;
import dev.fathom.lang.DataModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.stream.Stream;

/** {@code ::cheader}. */
final class CheaderCommand implements Command {
  private static final long FILE_LIMIT = 64 << 20;

  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("cheader", "read types and variables from C text")
        .arguments("file")
        .help(
            """
            Reads declarations from a file of C: structures, unions, enums, typedefs, and the types
            of variables and functions, so that a program that has symbols but no types can be
            looked at. Layouts are those of compilers for the program's data model, `packed` and
            `aligned` included. `#define` of a constant and `#if` work; `#include` is left out, with
            a note: give text that went through the preprocessor (`gcc -E -P`) where that matters.
            What the program's own types have is not replaced. A declaration that is wrong is left
            out: what is wrong with it is told with its place, and the others count.

                > ::cheader domain.h
                c:domain.h: 14 types, 3 variables
                > p idle_vcpu[0]->processor
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var file = call.args().expect(1, 1).word(0);
    var path = Path.of(file);
    String text;
    try {
      if (Files.size(path) > FILE_LIMIT) {
        throw new TargetException(file + " has more than " + FILE_LIMIT + " bytes", null);
      }
      text = Files.readString(path, StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      throw new TargetException(file + ": no such file", e);
    } catch (IOException e) {
      throw new TargetException("cannot read " + file + ": " + e.getMessage(), e);
    }
    var types = call.program().types();
    var name = "c:" + path.getFileName();
    var source = new CTextTypes(name, DataModel.of(types), types);
    var wrong = source.readWhatIsRight(path.getFileName().toString(), text);
    wrong.forEach(call::fail);
    types.add(source);
    source.notes().forEach(call::remark);
    long hidden =
        source.variables().keySet().stream()
            .filter(
                v -> types.ofSymbol(v).filter(t -> !t.equals(source.ofSymbol(v).get())).isPresent())
            .count();
    if (hidden > 0) {
      call.remark(hidden + " variables keep the types that another source gives them");
    }
    return Stream.of(
        Item.show(
            new Datum.Text(
                name
                    + ": "
                    + source.stream().count()
                    + " types, "
                    + source.variables().size()
                    + " variables"
                    + leftOut(wrong.size()))));
  }

  private static String leftOut(int count) {
    return switch (count) {
      case 0 -> "";
      case 1 -> ", 1 declaration left out";
      default -> ", " + count + " declarations left out";
    };
  }
}
