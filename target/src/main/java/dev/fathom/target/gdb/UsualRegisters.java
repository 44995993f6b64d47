// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The registers of stubs that do not describe them, told by the length of their reply to {@code g}.
 * Sources: gdb's features/i386/64bit-core.xml and features/aarch64-core.xml, whose order is that of
 * old stubs; the kernel's arch/x86/kernel/kgdb.c and arch/arm64/kernel/kgdb.c ({@code
 * dbg_reg_def}).
 */
final class UsualRegisters {
  private static final String[] X86 = {
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15", "rip"
  };
  private static final String[] X86_32_BITS = {"eflags", "cs", "ss", "ds", "es", "fs", "gs"};

  /**
   * KGDB's reply ends before fs and gs ({@code NUMREGBYTES} of arch/x86/include/asm/kgdb.h). Others
   * have all general and segment registers, x87 and SSE, the bases of FS and GS, {@code orig_rax}.
   */
  private static final List<Integer> X86_LENGTHS =
      List.of(17 * 8 + 5 * 4, 17 * 8 + 7 * 4, 536, 544, 560);

  private static final int AARCH64_CORE = 33 * 8 + 4;

  /** With vector registers, as in KGDB and gdb. */
  private static final List<Integer> AARCH64_LENGTHS = List.of(AARCH64_CORE, 788);

  private UsualRegisters() {}

  /** The registers behind a reply of {@code length} bytes. */
  static Optional<Description> of(int length) {
    var entries = new ArrayList<Description.Entry>();
    if (X86_LENGTHS.contains(length)) {
      add(entries, X86, 64);
      add(entries, X86_32_BITS, 32);
      return Optional.of(new Description("i386:x86-64", entries));
    }
    if (AARCH64_LENGTHS.contains(length)) {
      for (int i = 0; i <= 30; i++) {
        entries.add(entry("x" + i, entries.size(), 64));
      }
      add(entries, new String[] {"sp", "pc"}, 64);
      add(entries, new String[] {"cpsr"}, 32);
      return Optional.of(new Description("aarch64", entries));
    }
    return Optional.empty();
  }

  private static void add(List<Description.Entry> entries, String[] names, int bits) {
    for (String name : names) {
      entries.add(entry(name, entries.size(), bits));
    }
  }

  private static Description.Entry entry(String name, int number, int bits) {
    return new Description.Entry(name, number, bits, "", "");
  }
}
