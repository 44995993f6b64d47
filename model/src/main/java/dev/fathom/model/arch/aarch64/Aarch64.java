// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.aarch64;

import dev.fathom.model.Layout;
import dev.fathom.model.Register;
import dev.fathom.model.RegisterFile;
import dev.fathom.model.arch.Architecture;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * 64-bit Arm: its register file and its place among architectures. The first thirty-three registers
 * have the numbers that DWARF gives them (DWARF for the Arm 64-bit Architecture, section 4.1): x0
 * to x30, sp, pc. System registers have the names of the Arm Architecture Reference Manual, section
 * D24, in lower case.
 */
public final class Aarch64 implements Architecture {
  private static final List<Register> ALL = new ArrayList<>();

  private static final int GENERAL = 31;

  /** x0 to x30. */
  private static final List<Register> X = general();

  /** The frame pointer x29. */
  public static final Register FP = X.get(29);

  /** The link register x30: the return address after a call. */
  public static final Register LR = X.get(30);

  /** The stack pointer that is selected now. */
  public static final Register SP = register("sp", 64);

  public static final Register PC = register("pc", 64);

  /** The process state as SPSR_ELx has it (section C5.2.18): flags, masks and the mode. */
  public static final Register PSTATE = register("pstate", 32);

  /** Linux's {@code pt_regs.orig_x0}: x0 at a system call. */
  public static final Register ORIG_X0 = register("orig_x0", 64);

  /** Linux's {@code pt_regs.syscallno}, -1 outside of system calls. */
  public static final Register SYSCALLNO = register("syscallno", 32);

  /** The stack pointer of user mode; Linux keeps the current task in it while the kernel runs. */
  public static final Register SP_EL0 = register("sp_el0", 64);

  public static final Register SP_EL1 = register("sp_el1", 64);
  public static final Register ELR_EL1 = register("elr_el1", 64);
  public static final Register SPSR_EL1 = register("spsr_el1", 32);
  public static final Register ESR_EL1 = register("esr_el1", 64);
  public static final Register FAR_EL1 = register("far_el1", 64);
  public static final Register VBAR_EL1 = register("vbar_el1", 64);
  public static final Register TTBR0_EL1 = register("ttbr0_el1", 64);
  public static final Register TTBR1_EL1 = register("ttbr1_el1", 64);
  public static final Register TCR_EL1 = register("tcr_el1", 64);
  public static final Register SCTLR_EL1 = register("sctlr_el1", 64);
  public static final Register MAIR_EL1 = register("mair_el1", 64);
  public static final Register CONTEXTIDR_EL1 = register("contextidr_el1", 64);
  public static final Register TPIDR_EL0 = register("tpidr_el0", 64);
  public static final Register TPIDRRO_EL0 = register("tpidrro_el0", 64);

  /** Linux keeps what is added to per-CPU addresses in it. */
  public static final Register TPIDR_EL1 = register("tpidr_el1", 64);

  /** The same of a kernel that runs at EL2 with the host extensions. */
  public static final Register TPIDR_EL2 = register("tpidr_el2", 64);

  public static final Register MPIDR_EL1 = register("mpidr_el1", 64);
  public static final Register CURRENT_EL = register("currentel", 64);

  /** The mode bits of {@link #PSTATE}: 0 is EL0, the user's. */
  public static final long MODE = 0xf;

  /** The bit of {@link #PSTATE} that says AArch32. */
  public static final long AARCH32 = 1 << 4;

  private static final Map<String, Register> NAMES = names();
  private static final RegisterFile FILE = new File(List.copyOf(ALL));

  /** The one instance. */
  public static final Aarch64 INSTANCE = new Aarch64();

  private Aarch64() {}

  private static Register register(String name, int bits) {
    var register = new Register(name, ALL.size(), bits);
    ALL.add(register);
    return register;
  }

  private static List<Register> general() {
    var registers = new ArrayList<Register>();
    for (int i = 0; i < GENERAL; i++) {
      registers.add(register("x" + i, 64));
    }
    return List.copyOf(registers);
  }

  private static Map<String, Register> names() {
    var names = new HashMap<String, Register>();
    for (var register : ALL) {
      names.put(register.name(), register);
    }
    names.put("cpsr", PSTATE);
    names.put("fp", FP);
    names.put("lr", LR);
    names.put("tpidr", TPIDR_EL0); // As gdb calls it.
    names.put("vbar", VBAR_EL1);
    names.put("sctlr", SCTLR_EL1);
    return Map.copyOf(names);
  }

  /**
   * The register x0 to x30.
   *
   * @throws IndexOutOfBoundsException for another number
   */
  public static Register x(int number) {
    return X.get(number);
  }

  @Override
  public String name() {
    return "aarch64";
  }

  @Override
  public Layout layout() {
    return Layout.LITTLE_64;
  }

  /** {@link RegisterFile#named} also answers to {@code cpsr}, {@code fp}, {@code lr}. */
  @Override
  public RegisterFile registers() {
    return FILE;
  }

  @Override
  public Aarch64FlowDecoder flowDecoder() {
    return new Aarch64FlowDecoder();
  }

  /** The registers above in the order of their indexes. */
  private record File(List<Register> registers) implements RegisterFile {
    @Override
    public Optional<Register> named(String name) {
      return Optional.ofNullable(NAMES.get(name));
    }

    /** {@code w0} to {@code w30} are the low halves. */
    @Override
    public Optional<RegisterFile.Part> part(String name) {
      return name.matches("w([0-9]|[12][0-9]|30)")
          ? named("x" + name.substring(1)).map(x -> new RegisterFile.Part(x, 0, 32, true))
          : RegisterFile.super.part(name);
    }

    @Override
    public Register pc() {
      return PC;
    }

    @Override
    public Register sp() {
      return SP;
    }

    @Override
    public Register fp() {
      return FP;
    }

    @Override
    public Optional<Register> threadPointer() {
      return Optional.of(TPIDR_EL0);
    }
  }
}
