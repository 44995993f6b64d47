// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.x86_64;

import dev.fathom.model.Layout;
import dev.fathom.model.Register;
import dev.fathom.model.RegisterFile;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.arch.Effect;
import dev.fathom.model.arch.Loads;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * 64-bit x86: its register file and its place among architectures. The first seventeen registers
 * have the numbers that DWARF gives them (System V ABI, AMD64 supplement, figure 3.36), so that a
 * DWARF register number is an index here.
 */
public final class X86_64 implements Architecture {
  public static final Register RAX = new Register("rax", 0, 64);
  public static final Register RDX = new Register("rdx", 1, 64);
  public static final Register RCX = new Register("rcx", 2, 64);
  public static final Register RBX = new Register("rbx", 3, 64);
  public static final Register RSI = new Register("rsi", 4, 64);
  public static final Register RDI = new Register("rdi", 5, 64);
  public static final Register RBP = new Register("rbp", 6, 64);
  public static final Register RSP = new Register("rsp", 7, 64);
  public static final Register R8 = new Register("r8", 8, 64);
  public static final Register R9 = new Register("r9", 9, 64);
  public static final Register R10 = new Register("r10", 10, 64);
  public static final Register R11 = new Register("r11", 11, 64);
  public static final Register R12 = new Register("r12", 12, 64);
  public static final Register R13 = new Register("r13", 13, 64);
  public static final Register R14 = new Register("r14", 14, 64);
  public static final Register R15 = new Register("r15", 15, 64);
  public static final Register RIP = new Register("rip", 16, 64);
  public static final Register RFLAGS = new Register("rflags", 17, 64);

  /** Linux's {@code pt_regs.orig_ax}: the number of the system call, or an exception's code. */
  public static final Register ORIG_RAX = new Register("orig_rax", 18, 64);

  public static final Register CS = new Register("cs", 19, 16);
  public static final Register SS = new Register("ss", 20, 16);
  public static final Register DS = new Register("ds", 21, 16);
  public static final Register ES = new Register("es", 22, 16);
  public static final Register FS = new Register("fs", 23, 16);
  public static final Register GS = new Register("gs", 24, 16);
  public static final Register FS_BASE = new Register("fs_base", 25, 64);
  public static final Register GS_BASE = new Register("gs_base", 26, 64);

  /** MSR 0xC0000102, which SWAPGS exchanges with {@link #GS_BASE}. */
  public static final Register KERNEL_GS_BASE = new Register("kernel_gs_base", 27, 64);

  public static final Register CR0 = new Register("cr0", 28, 64);
  public static final Register CR2 = new Register("cr2", 29, 64);
  public static final Register CR3 = new Register("cr3", 30, 64);
  public static final Register CR4 = new Register("cr4", 31, 64);
  public static final Register IDT_BASE = new Register("idt_base", 32, 64);
  public static final Register IDT_LIMIT = new Register("idt_limit", 33, 32);
  public static final Register GDT_BASE = new Register("gdt_base", 34, 64);
  public static final Register GDT_LIMIT = new Register("gdt_limit", 35, 32);
  public static final Register LDT = new Register("ldt", 36, 16);
  public static final Register LDT_BASE = new Register("ldt_base", 37, 64);
  public static final Register TR = new Register("tr", 38, 16);
  public static final Register TR_BASE = new Register("tr_base", 39, 64);

  /** The general registers by their number in instructions (Intel SDM volume 2, table 3-1). */
  public static final List<Register> ENCODED =
      List.of(RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15);

  private static final List<Register> ALL =
      List.of(
          RAX,
          RDX,
          RCX,
          RBX,
          RSI,
          RDI,
          RBP,
          RSP,
          R8,
          R9,
          R10,
          R11,
          R12,
          R13,
          R14,
          R15,
          RIP,
          RFLAGS,
          ORIG_RAX,
          CS,
          SS,
          DS,
          ES,
          FS,
          GS,
          FS_BASE,
          GS_BASE,
          KERNEL_GS_BASE,
          CR0,
          CR2,
          CR3,
          CR4,
          IDT_BASE,
          IDT_LIMIT,
          GDT_BASE,
          GDT_LIMIT,
          LDT,
          LDT_BASE,
          TR,
          TR_BASE);
  private static final Map<String, Register> NAMES = names();

  private static final Map<String, RegisterFile.Part> PARTS = parts();

  private static final RegisterFile FILE = new File();

  /** The one instance. */
  public static final X86_64 INSTANCE = new X86_64();

  private X86_64() {}

  private static Map<String, Register> names() {
    var names = new HashMap<String, Register>();
    for (var register : ALL) {
      names.put(register.name(), register);
    }
    names.put("eflags", RFLAGS);
    names.put("pc", RIP);
    names.put("sp", RSP);
    names.put("fp", RBP);
    return Map.copyOf(names);
  }

  /** The low 32, 16 and 8 bits of the general registers, and bits 8 to 15 of four. */
  private static Map<String, RegisterFile.Part> parts() {
    var parts = new HashMap<String, RegisterFile.Part>();
    for (var register : List.of(RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP)) {
      var word = register.name().substring(1);
      parts.put("e" + word, new RegisterFile.Part(register, 0, 32, true));
      parts.put(word, new RegisterFile.Part(register, 0, 16, false));
      boolean letter = word.endsWith("x");
      var low = letter ? word.charAt(0) + "l" : word + "l";
      // Names that mean a whole register stay.
      if (letter) {
        parts.put(word.charAt(0) + "h", new RegisterFile.Part(register, 8, 8, false));
      }
      parts.put(low, new RegisterFile.Part(register, 0, 8, false));
    }
    for (var register : List.of(R8, R9, R10, R11, R12, R13, R14, R15)) {
      parts.put(register.name() + "d", new RegisterFile.Part(register, 0, 32, true));
      parts.put(register.name() + "w", new RegisterFile.Part(register, 0, 16, false));
      parts.put(register.name() + "b", new RegisterFile.Part(register, 0, 8, false));
      parts.put(register.name() + "l", new RegisterFile.Part(register, 0, 8, false));
    }
    parts.put("eip", new RegisterFile.Part(RIP, 0, 32, true));
    parts.put("eflags", new RegisterFile.Part(RFLAGS, 0, 32, true));
    // gdb's names for the whole stack and frame pointer.
    parts.remove("sp");
    return Map.copyOf(parts);
  }

  @Override
  public String name() {
    return "x86_64";
  }

  @Override
  public Layout layout() {
    return Layout.LITTLE_64;
  }

  /**
   * {@link RegisterFile#named} also answers to {@code pc}, {@code sp}, {@code fp}, {@code eflags}.
   */
  @Override
  public X86FlowDecoder flowDecoder() {
    return new X86FlowDecoder();
  }

  @Override
  public RegisterFile registers() {
    return FILE;
  }

  @Override
  public Optional<Effect> emulate(byte[] code, long pc, Registers known, Optional<Loads> loads) {
    return X86Emulator.run(code, pc, known, loads);
  }

  /** The registers above in the order of their indexes. */
  private static final class File implements RegisterFile {
    @Override
    public List<Register> registers() {
      return ALL;
    }

    @Override
    public Optional<Register> named(String name) {
      return Optional.ofNullable(NAMES.get(name));
    }

    @Override
    public Optional<RegisterFile.Part> part(String name) {
      var part = PARTS.get(name);
      return part != null ? Optional.of(part) : RegisterFile.super.part(name);
    }

    @Override
    public Register pc() {
      return RIP;
    }

    @Override
    public Register sp() {
      return RSP;
    }

    @Override
    public Register fp() {
      return RBP;
    }

    @Override
    public Optional<Register> threadPointer() {
      return Optional.of(FS_BASE);
    }
  }
}
