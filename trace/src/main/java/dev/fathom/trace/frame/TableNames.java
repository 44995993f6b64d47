// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.frame;

import dev.fathom.model.SymbolTable;
import dev.fathom.trace.Frame;
import dev.fathom.trace.FrameNames;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** The functions of a symbol table, without lines and inlined functions. */
public final class TableNames implements FrameNames {
  private final SymbolTable table;

  public TableNames(SymbolTable table) {
    this.table = table;
  }

  @Override
  public List<Frame> at(long address) {
    return table
        .at(address)
        .map(
            found ->
                new Frame(
                    address,
                    Optional.of(found.symbol().qualified()),
                    Optional.empty(),
                    OptionalInt.empty()))
        .map(List::of)
        .orElse(List.of());
  }
}
