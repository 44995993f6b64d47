// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.source;

import dev.fathom.base.BadDataException;
import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.Die;
import dev.fathom.format.dwarf.Tag;
import dev.fathom.model.source.Activation;
import dev.fathom.model.source.SourceLine;
import dev.fathom.model.source.Variable;
import dev.fathom.model.type.CType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A function at work, by its entry and those of the blocks that an address is in. */
final class DwarfActivation implements Activation {
  /** More than any block declares. */
  private static final int MAX_VARIABLES = 10_000;

  private static final int MAX_DEPTH = 256;

  private final DwarfSource source;
  private final Die die;
  private final List<Die> blocks;
  private final Die function;
  private final Optional<SourceLine> line;
  private final boolean inlined;
  private Optional<Set<Die>> origins = Optional.empty();

  DwarfActivation(
      DwarfSource source,
      Die die,
      List<Die> blocks,
      Die function,
      Optional<SourceLine> line,
      boolean inlined) {
    this.source = source;
    this.die = die;
    this.blocks = blocks;
    this.function = function;
    this.line = line;
    this.inlined = inlined;
  }

  @Override
  public String function() {
    try {
      return source.nameOf(die).orElse("??");
    } catch (BadDataException e) {
      source.problem(e);
      return "??";
    }
  }

  @Override
  public Optional<CType> type() {
    try {
      return Optional.of(source.functionType(die));
    } catch (BadDataException e) {
      source.problem(e);
      return Optional.empty();
    }
  }

  @Override
  public boolean inlined() {
    return inlined;
  }

  @Override
  public Optional<SourceLine> line() {
    return line;
  }

  @Override
  public long entry() {
    return source.loaded(source.entryOf(die));
  }

  @Override
  public List<Variable> parameters() {
    return variables(die, Tag.FORMAL_PARAMETER, 0);
  }

  @Override
  public List<Variable> locals() {
    var all = new ArrayList<Variable>();
    for (int depth = blocks.size() - 1; depth >= 0; depth--) {
      all.addAll(variables(blocks.get(depth), Tag.VARIABLE, depth));
    }
    return all;
  }

  @Override
  public Optional<Variable> ofFile(String name) {
    try {
      return source
          .ofUnit(function, name)
          .map(variable -> new DwarfVariable(source, variable, function, name, 0, false));
    } catch (BadDataException e) {
      source.problem(e);
      return Optional.empty();
    }
  }

  private List<Variable> variables(Die block, int tag, int depth) {
    var found = new ArrayList<Variable>();
    try {
      collect(block, tag, depth, Set.of(), found);
      // What the compiler dropped altogether only stands in the function's abstract entry.
      var origin = block.reference(At.ABSTRACT_ORIGIN);
      if (origin.isPresent()) {
        collect(origin.get(), tag, depth, origins(), found);
      }
    } catch (BadDataException e) {
      source.problem(e);
    }
    return found;
  }

  /** The abstract entries of all variables that have one of their own somewhere in the function. */
  private Set<Die> origins() {
    if (origins.isEmpty()) {
      var found = new HashSet<Die>();
      collectOrigins(die, found, 0);
      origins = Optional.of(found);
    }
    return origins.get();
  }

  private static void collectOrigins(Die parent, Set<Die> found, int depth) {
    for (var child = parent.firstChild(); child.isPresent(); child = child.get().next()) {
      var at = child.get();
      if (at.tag() == Tag.VARIABLE || at.tag() == Tag.FORMAL_PARAMETER) {
        at.reference(At.ABSTRACT_ORIGIN).ifPresent(found::add);
      } else if (at.tag() == Tag.LEXICAL_BLOCK && depth < MAX_DEPTH) {
        collectOrigins(at, found, depth + 1);
      }
    }
  }

  private void collect(Die block, int tag, int depth, Set<Die> known, List<Variable> found) {
    for (var child = block.firstChild(); child.isPresent(); child = child.get().next()) {
      var variable = child.get();
      if (variable.tag() != tag || known.contains(variable) || found.size() >= MAX_VARIABLES) {
        continue;
      }
      var name = variable.owner(At.NAME).flatMap(Die::name);
      if (name.isPresent() && !variable.flag(At.DECLARATION)) {
        found.add(
            new DwarfVariable(
                source, variable, function, name.get(), depth, tag == Tag.FORMAL_PARAMETER));
      }
    }
  }
}
