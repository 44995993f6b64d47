// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.stack;

import dev.fathom.base.Range;
import dev.fathom.model.Program;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.PtRegs;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.unwind.Stack;
import dev.fathom.model.unwind.UnwindRow;
import dev.fathom.model.unwind.UnwindSource;
import dev.fathom.model.unwind.Words;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** The stacks of an x86-64 kernel. */
final class X86Rules implements Rules {
  /**
   * {@code MODULES_VADDR} to {@code MODULES_END} at their widest (Documentation/x86/x86_64/mm.rst):
   * modules, BPF programs, trampolines of ftrace and kprobes.
   */
  static final Range MODULE_SPACE = new Range(0xffff_ffff_a000_0000L, 0xffff_ffff_ff00_0000L);

  /** Selectors (asm/segment.h). */
  private static final int KERNEL_CS = 0x10;

  private static final int KERNEL_SS = 0x18;
  private static final int USER32_CS = 0x23;
  private static final int USER_SS = 0x2b;
  private static final int USER_CS = 0x33;

  /** The privilege bits of a code selector. */
  private static final int USER_PRIVILEGE = 3;

  /**
   * The bits of the flags that always have one value, and that value (Intel SDM volume 1, 3.4.3).
   */
  private static final long FLAGS_FIXED = 0xffff_ffff_ffc0_802aL;

  private static final long FLAGS_SET = 2;

  private final Program program;
  private final SystemCalls calls;
  private final long padding;
  private final InactiveFrame inactive;
  private final OptionalLong spOffset;
  private final CpuStacks cpuStacks;

  X86Rules(Program program, long threadSize) {
    this.program = program;
    calls = new SystemCalls(program);
    // TOP_OF_KERNEL_STACK_PADDING: 16 since 6.9 where the kernel is built for FRED.
    padding = program.symbols().first("asm_fred_entrypoint_user").isPresent() ? 16 : 0;
    inactive = InactiveFrame.of(program.types());
    spOffset = program.types().findOffset("task_struct", "thread.sp");
    cpuStacks = new CpuStacks(program, threadSize);
  }

  @Override
  public List<Range> moduleSpaces() {
    return List.of(MODULE_SPACE);
  }

  @Override
  public List<UnwindSource> sources(List<UnwindSource> tables) {
    return List.of(new FtraceTrampolines(program, tables));
  }

  @Override
  public Optional<Registers> saved(long task) {
    return spOffset.isEmpty()
        ? Optional.empty()
        : Optional.of(
            inactive.read(program.memory(), program.memory().u64(task + spOffset.getAsLong())));
  }

  @Override
  public UnwindRow atTop(long end) {
    return SavedRegisters.at(end - padding - PtRegs.BYTES);
  }

  @Override
  public Registers topRegisters(long end, Words words) {
    return SavedRegisters.read(words, end - padding - PtRegs.BYTES);
  }

  @Override
  public List<Stack> cpuStacks(long base) {
    return cpuStacks.of(base);
  }

  @Override
  public boolean isUser(Registers registers) {
    var cs = registers.get(X86_64.CS);
    return cs.isPresent() && (cs.getAsLong() & USER_PRIVILEGE) == USER_PRIVILEGE;
  }

  @Override
  public boolean isOfCpu(Registers registers) {
    return registers.get(X86_64.RFLAGS).isPresent();
  }

  /** head_64.S: secondary_startup_64 and variants, common_startup_64 since 6.10. */
  @Override
  public boolean startsCpu(String function) {
    return function.startsWith("secondary_startup") || function.startsWith("common_startup");
  }

  /** Jumps through a register, and calls that are patched (asm/nospec-branch.h, static_call.h). */
  @Override
  public boolean isTrampoline(String function) {
    return function.startsWith("__x86_indirect_") || function.startsWith("__SCT__");
  }

  @Override
  public long returnAddress(long stored) {
    return stored;
  }

  @Override
  public Optional<UnwindRow> conventional(
      Registers registers, boolean exact, LinuxStacks.View view) {
    return Optional.empty();
  }

  @Override
  public Optional<UnwindRow> savedRegisters(long address, Words words) {
    return selectors(address + PtRegs.HARDWARE, words)
        ? Optional.of(SavedRegisters.at(address))
        : Optional.empty();
  }

  /** The selectors of kernel or user code, or those of a kernel thread, which has none. */
  private static boolean selectors(long hardware, Words words) {
    int cs = selector(hardware + 8, words);
    return cs == KERNEL_CS
        || cs == USER_CS
        || cs == USER32_CS
        || (cs == 0 && words.at(hardware).equals(OptionalLong.of(0)));
  }

  /** The low 16 bits of a word, or -1. */
  private static int selector(long address, Words words) {
    var word = words.at(address);
    return word.isPresent() ? (int) word.getAsLong() & 0xffff : -1;
  }

  @Override
  public Optional<UnwindRow> interruptFrame(long address, LinuxStacks.View view) {
    var words = view.words();
    int cs = selector(address + 8, words);
    if (cs != KERNEL_CS && cs != USER_CS && cs != USER32_CS) {
      return Optional.empty();
    }
    var pc = words.at(address);
    var flags = words.at(address + 16);
    var sp = words.at(address + 24);
    int ss = selector(address + 32, words);
    if (pc.isEmpty()
        || flags.isEmpty()
        || sp.isEmpty()
        || (flags.getAsLong() & FLAGS_FIXED) != FLAGS_SET) {
      return Optional.empty();
    }
    boolean sensible =
        cs == KERNEL_CS
            ? (ss == KERNEL_SS || ss == 0)
                && view.isText(pc.getAsLong())
                && view.containing(sp.getAsLong()).isPresent()
            : ss == USER_SS && pc.getAsLong() >= 0;
    return sensible ? Optional.of(SavedRegisters.at(address - PtRegs.HARDWARE)) : Optional.empty();
  }

  @Override
  public Optional<String> outermost(Registers caller) {
    if (isUser(caller)) {
      return Optional.of("entry from user mode: " + entry(caller));
    }
    var pc = caller.pc();
    var cs = caller.get(X86_64.CS);
    return pc.isPresent() && pc.getAsLong() == 0 && cs.isPresent() && cs.getAsLong() == 0
        ? Optional.of("start of a kernel thread")
        : Optional.empty();
  }

  /** Entry code sets the number of the system call to -1 for all other entries. */
  private String entry(Registers user) {
    var number = user.get(X86_64.ORIG_RAX);
    if (number.isEmpty() || (int) number.getAsLong() < 0) {
      return "interrupt or exception";
    }
    int call = (int) number.getAsLong();
    if (user.get(X86_64.CS).orElse(0) == USER32_CS) {
      return "32-bit system call " + call;
    }
    return "system call " + call + calls.name(call).map(name -> " (" + name + ")").orElse("");
  }
}
