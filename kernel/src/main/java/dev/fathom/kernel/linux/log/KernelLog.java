// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.log;

import dev.fathom.base.FathomException;
import dev.fathom.format.vmcoreinfo.Vmcoreinfo;
import dev.fathom.kernel.LogEntry;
import dev.fathom.kernel.Walker;
import dev.fathom.model.Memory;
import dev.fathom.model.Symbol;
import dev.fathom.model.SymbolTable;
import dev.fathom.model.type.TypeSystem;
import java.util.Collections;
import java.util.Iterator;
import java.util.Optional;
import java.util.OptionalLong;

/** The kernel's log, in whichever form this kernel keeps it. */
public final class KernelLog {
  private KernelLog() {}

  /**
   * The entries, oldest first: from {@code prb} (5.10 and later) or {@code log_buf}. {@code notes}
   * is told of what is missing.
   *
   * @param vmcoreinfo says where the members are in kernels without types
   */
  public static Iterator<LogEntry> read(
      Memory memory,
      SymbolTable symbols,
      TypeSystem types,
      Optional<Vmcoreinfo> vmcoreinfo,
      Walker.Notes notes) {
    var offsets = new LogOffsets(types, vmcoreinfo);
    try {
      var ring = address("prb", symbols, vmcoreinfo);
      if (ring.isPresent()) {
        return new PrintkRing(memory, offsets, memory.u64(ring.getAsLong()), notes);
      }
      var buffer = address("log_buf", symbols, vmcoreinfo);
      var length = address("log_buf_len", symbols, vmcoreinfo);
      var first = address("log_first_idx", symbols, vmcoreinfo);
      var next = address("log_next_idx", symbols, vmcoreinfo);
      if (buffer.isPresent() && length.isPresent() && first.isPresent() && next.isPresent()) {
        var sequence = address("log_first_seq", symbols, vmcoreinfo);
        return new PrintkBuffer(
            memory,
            offsets,
            memory.u64(buffer.getAsLong()),
            memory.u32(length.getAsLong()),
            memory.u32(first.getAsLong()),
            memory.u32(next.getAsLong()),
            sequence.isPresent() ? memory.u64(sequence.getAsLong()) : 0,
            notes);
      }
      notes.note("neither prb nor log_buf is known: the log cannot be found");
    } catch (FathomException e) {
      notes.note("log: " + e.getMessage());
    }
    return Collections.emptyIterator();
  }

  private static OptionalLong address(
      String name, SymbolTable symbols, Optional<Vmcoreinfo> vmcoreinfo) {
    Optional<Symbol> symbol = symbols.first(name);
    if (symbol.isPresent()) {
      return OptionalLong.of(symbol.get().address());
    }
    return vmcoreinfo.isPresent() ? vmcoreinfo.get().symbol(name) : OptionalLong.empty();
  }
}
