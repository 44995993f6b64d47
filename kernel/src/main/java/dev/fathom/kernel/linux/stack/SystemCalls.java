// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.stack;

import dev.fathom.base.FaultException;
import dev.fathom.model.Program;
import java.util.List;
import java.util.Optional;

/** Names system calls by the functions that the kernel's own table has for them. */
final class SystemCalls {
  /** More than any kernel has. */
  private static final int MOST = 2048;

  /**
   * What names of functions in the table start with: since 4.17 the first, and for calls without
   * arguments any of the first three, which then share an address; before, the last two. {@code
   * __arm64_sys_} is 64-bit Arm's, since 4.19.
   */
  private static final List<String> PREFIXES =
      List.of("__x64_sys_", "__do_sys_", "__ia32_sys_", "__arm64_sys_", "SyS_", "sys_");

  private final Program program;

  SystemCalls(Program program) {
    this.program = program;
  }

  /** The name of system call {@code number} of 64-bit programs: {@code read}. */
  Optional<String> name(long number) {
    var table = program.symbols().first("sys_call_table");
    if (table.isEmpty() || number < 0 || number >= MOST) {
      return Optional.empty();
    }
    try {
      long function = program.memory().u64(table.get().address() + 8 * number);
      var found = program.symbols().at(function);
      for (var prefix : PREFIXES) {
        if (found.isPresent()
            && found.get().offset() == 0
            && found.get().symbol().name().startsWith(prefix)) {
          return Optional.of(found.get().symbol().name().substring(prefix.length()));
        }
      }
      return Optional.empty();
    } catch (FaultException _) {
      // A name is a courtesy: the number alone will do.
      return Optional.empty();
    }
  }
}
