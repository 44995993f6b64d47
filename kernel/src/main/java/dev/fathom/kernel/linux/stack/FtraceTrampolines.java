// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.stack;

import dev.fathom.base.FaultException;
import dev.fathom.model.Program;
import dev.fathom.model.unwind.Frame;
import dev.fathom.model.unwind.UnwindRow;
import dev.fathom.model.unwind.UnwindSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Unwind rules for the code that ftrace makes for each of its users: copies of {@code
 * ftrace_caller} or {@code ftrace_regs_caller} (arch/x86/kernel/ftrace.c, create_trampoline), so
 * the rows of these hold, as in the kernel's own orc_ftrace_find.
 */
final class FtraceTrampolines implements UnwindSource {
  /** {@code FTRACE_OPS_FL_SAVE_REGS} (include/linux/ftrace.h). */
  private static final long SAVE_REGS = 1 << 2;

  private static final int MOST = 4096;
  private static final long LARGEST = 4096;

  /** A copy: where it is, how long, of what. */
  private record Copy(long start, long bytes, long of) {}

  private final Program program;
  private final List<UnwindSource> sources;
  private Optional<List<Copy>> copies = Optional.empty();

  /**
   * @param sources have the rows of what is copied
   */
  FtraceTrampolines(Program program, List<UnwindSource> sources) {
    this.program = program;
    this.sources = List.copyOf(sources);
  }

  @Override
  public String name() {
    return "orc:ftrace";
  }

  @Override
  public Frame.How how() {
    return Frame.How.ORC;
  }

  @Override
  public Optional<UnwindRow> rowAt(long pc) {
    if (!X86Rules.MODULE_SPACE.contains(pc)) {
      return Optional.empty();
    }
    for (var copy : copies()) {
      long offset = pc - copy.start();
      if (offset >= 0 && offset < copy.bytes()) {
        for (var source : sources) {
          var row = source.rowAt(copy.of() + offset);
          if (row.isPresent()) {
            return row;
          }
        }
      }
    }
    return Optional.empty();
  }

  private List<Copy> copies() {
    if (copies.isEmpty()) {
      copies = Optional.of(read());
    }
    return copies.get();
  }

  private List<Copy> read() {
    var found = new ArrayList<Copy>();
    var types = program.types();
    var symbols = program.symbols();
    var next = types.findOffset("ftrace_ops", "next");
    var flags = types.findOffset("ftrace_ops", "flags");
    var trampoline = types.findOffset("ftrace_ops", "trampoline");
    var size = types.findOffset("ftrace_ops", "trampoline_size");
    var head = symbols.first("ftrace_ops_list");
    var end = symbols.first("ftrace_list_end");
    var plain = symbols.first("ftrace_caller");
    var saving = symbols.first("ftrace_regs_caller");
    if (next.isEmpty()
        || flags.isEmpty()
        || trampoline.isEmpty()
        || size.isEmpty()
        || head.isEmpty()
        || plain.isEmpty()
        || saving.isEmpty()) {
      return found;
    }
    try {
      long last = end.isPresent() ? end.get().address() : 0;
      long ops = program.memory().u64(head.get().address());
      for (int i = 0; i < MOST && ops != 0 && ops != last; i++) {
        long start = program.memory().u64(ops + trampoline.getAsLong());
        long bytes = program.memory().u64(ops + size.getAsLong());
        boolean saves = (program.memory().u64(ops + flags.getAsLong()) & SAVE_REGS) != 0;
        if (start != 0 && bytes > 0 && bytes <= LARGEST) {
          found.add(new Copy(start, bytes, (saves ? saving : plain).get().address()));
        }
        ops = program.memory().u64(ops + next.getAsLong());
      }
    } catch (FaultException _) {
      // The list is not whole: the copies that were found are good all the same.
      return found;
    }
    return found;
  }
}
