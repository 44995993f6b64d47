// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import dev.fathom.base.BadDataException;
import dev.fathom.format.elf.Aarch64PrStatus;
import dev.fathom.format.elf.Elf;
import dev.fathom.format.elf.ElfNote;
import dev.fathom.format.elf.ElfNoteWriter;
import dev.fathom.format.elf.PrStatus;
import dev.fathom.format.elf.QemuCpuState;
import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.x86_64.PtRegs;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.Cpu;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the notes of a dump say: the CPUs' registers and VMCOREINFO. A note that cannot be decoded
 * is left out with a warning.
 *
 * <p>Linux writes a PRSTATUS for each CPU that stopped, in the order of their numbers; CPUs that
 * were offline have none, so that a number here may be too low. QEMU writes one for every vCPU,
 * then a CPU-state note for every vCPU in the same order; for 64-bit Arm it has no such note, but
 * writes the floating-point registers, which Linux does not.
 *
 * <p>{@code fs_base} and {@code gs_base} of a PRSTATUS are not used: Linux puts the user's bases
 * there, QEMU zeros.
 */
final class DumpNotes {
  static final int MAX_VMCOREINFO = 1 << 20;

  /** More than any writer's note of a CPU has. */
  private static final int MAX_CPU_NOTE = 1 << 12;

  private static final Register[] PRSTATUS_REGISTERS = prStatusRegisters();
  private static final Register[] QEMU_REGISTERS = qemuRegisters();

  private final Architecture architecture;
  private final List<Aarch64PrStatus> armStatuses = new ArrayList<>();
  private boolean floatingPoint;
  private final List<PrStatus> statuses = new ArrayList<>();
  private final List<QemuCpuState> states = new ArrayList<>();
  private final List<ElfNote> cpuNotes = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();
  private Optional<byte[]> vmcoreinfo = Optional.empty();
  private boolean xen;

  /**
   * @param architecture the machine's, which decides what notes look like
   */
  DumpNotes(Architecture architecture) {
    this.architecture = architecture;
  }

  Architecture architecture() {
    return architecture;
  }

  private boolean isArm() {
    return architecture.name().equals("aarch64");
  }

  /** Takes the notes of one region. */
  void add(List<ElfNote> notes) {
    for (ElfNote note : notes) {
      try {
        addOne(note);
      } catch (BadDataException e) {
        warnings.add(e.getMessage());
      }
    }
  }

  private void addOne(ElfNote note) {
    if (note.is("CORE", Elf.NT_PRSTATUS) && isArm()) {
      armStatuses.add(Aarch64PrStatus.decode(note));
    } else if (note.is("CORE", Elf.NT_FPREGSET)) {
      floatingPoint = true;
    } else if (note.is("CORE", Elf.NT_PRSTATUS)) {
      statuses.add(PrStatus.decode(note));
      cpuNotes.add(note);
    } else if (note.is(QemuCpuState.OWNER, 0)) {
      states.add(QemuCpuState.decode(note));
      cpuNotes.add(note);
    } else if (note.is("VMCOREINFO", 0)
        && vmcoreinfo.isEmpty()
        && note.descriptor().size() <= MAX_VMCOREINFO) {
      vmcoreinfo = Optional.of(note.descriptor().bytes(0, (int) note.descriptor().size()));
    } else if (note.name().equals("Xen")) {
      xen = true;
    }
  }

  Optional<byte[]> vmcoreinfo() {
    return vmcoreinfo;
  }

  /** The notes that {@link #cpus} come from, as a region of their own. */
  byte[] cpuNotes() {
    var writer = new ElfNoteWriter();
    for (ElfNote note : cpuNotes) {
      var descriptor = note.descriptor();
      int size = (int) Math.min(descriptor.size(), MAX_CPU_NOTE);
      writer.add(note.name(), note.type(), descriptor.bytes(0, size));
    }
    return writer.bytes();
  }

  /** Whether the notes are those of a Xen hypervisor. */
  boolean xen() {
    return xen;
  }

  /** Whether QEMU wrote them. */
  boolean qemu() {
    return !states.isEmpty() || (isArm() && floatingPoint);
  }

  boolean isEmpty() {
    return statuses.isEmpty() && armStatuses.isEmpty() && states.isEmpty() && vmcoreinfo.isEmpty();
  }

  List<String> warnings() {
    return warnings;
  }

  List<Cpu> cpus() {
    var cpus = new ArrayList<Cpu>();
    if (isArm()) {
      return armCpus();
    }
    int count = Math.max(statuses.size(), states.size());
    for (int i = 0; i < count; i++) {
      Registers registers = Registers.none(X86_64.INSTANCE.registers());
      boolean hasState = i < states.size();
      if (i < statuses.size()) {
        registers = with(registers, statuses.get(i), hasState);
      }
      if (hasState) {
        registers = with(registers, states.get(i));
      }
      cpus.add(new Cpu(number(i), registers, hasState ? "QEMU" : "PRSTATUS"));
    }
    return List.copyOf(cpus);
  }

  private List<Cpu> armCpus() {
    var cpus = new ArrayList<Cpu>();
    for (int i = 0; i < armStatuses.size(); i++) {
      var status = armStatuses.get(i);
      var registers = Registers.builder(Aarch64.INSTANCE.registers());
      for (int x = 0; x < Aarch64PrStatus.SP; x++) {
        registers.set(Aarch64.x(x), status.get(x));
      }
      registers
          .set(Aarch64.SP, status.get(Aarch64PrStatus.SP))
          .set(Aarch64.PC, status.get(Aarch64PrStatus.PC))
          .set(Aarch64.PSTATE, status.get(Aarch64PrStatus.PSTATE) & 0xffff_ffffL);
      boolean stated = qemu() && status.pid() > 0;
      cpus.add(
          new Cpu(stated ? status.pid() - 1 : i, registers.build(), qemu() ? "QEMU" : "PRSTATUS"));
    }
    return List.copyOf(cpus);
  }

  /** QEMU states the vCPU's number plus one as pid; else the order is all there is. */
  private int number(int i) {
    boolean stated = i < states.size() && i < statuses.size() && statuses.get(i).pid() > 0;
    return stated ? statuses.get(i).pid() - 1 : i;
  }

  private static Registers with(Registers registers, PrStatus status, boolean fromQemu) {
    Registers result = registers;
    for (PrStatus.Reg reg : PrStatus.Reg.values()) {
      Register register = PRSTATUS_REGISTERS[reg.ordinal()];
      boolean meaningless =
          reg == PrStatus.Reg.FS_BASE
              || reg == PrStatus.Reg.GS_BASE
              || (reg == PrStatus.Reg.ORIG_RAX && fromQemu);
      if (!meaningless) {
        result = result.with(register, status.get(reg));
      }
    }
    return result;
  }

  private static Registers with(Registers registers, QemuCpuState state) {
    Registers result = registers;
    for (QemuCpuState.Reg reg : QemuCpuState.Reg.values()) {
      result = result.with(QEMU_REGISTERS[reg.ordinal()], state.get(reg));
    }
    result = segment(result, state, QemuCpuState.Seg.CS, X86_64.CS);
    result = segment(result, state, QemuCpuState.Seg.SS, X86_64.SS);
    result = segment(result, state, QemuCpuState.Seg.DS, X86_64.DS);
    result = segment(result, state, QemuCpuState.Seg.ES, X86_64.ES);
    result = segment(result, state, QemuCpuState.Seg.FS, X86_64.FS);
    result = segment(result, state, QemuCpuState.Seg.GS, X86_64.GS);
    result = segment(result, state, QemuCpuState.Seg.LDT, X86_64.LDT);
    result = segment(result, state, QemuCpuState.Seg.TR, X86_64.TR);
    result =
        result
            .with(X86_64.FS_BASE, state.segment(QemuCpuState.Seg.FS).base())
            .with(X86_64.GS_BASE, state.segment(QemuCpuState.Seg.GS).base())
            .with(X86_64.LDT_BASE, state.segment(QemuCpuState.Seg.LDT).base())
            .with(X86_64.TR_BASE, state.segment(QemuCpuState.Seg.TR).base())
            .with(X86_64.GDT_BASE, state.segment(QemuCpuState.Seg.GDT).base())
            .with(X86_64.GDT_LIMIT, unsigned(state.segment(QemuCpuState.Seg.GDT).limit()))
            .with(X86_64.IDT_BASE, state.segment(QemuCpuState.Seg.IDT).base())
            .with(X86_64.IDT_LIMIT, unsigned(state.segment(QemuCpuState.Seg.IDT).limit()))
            .with(X86_64.CR0, state.cr(0))
            .with(X86_64.CR2, state.cr(2))
            .with(X86_64.CR3, state.cr(3))
            .with(X86_64.CR4, state.cr(4));
    return state.kernelGsBase().isPresent()
        ? result.with(X86_64.KERNEL_GS_BASE, state.kernelGsBase().getAsLong())
        : result;
  }

  private static Registers segment(
      Registers registers, QemuCpuState state, QemuCpuState.Seg which, Register register) {
    return registers.with(register, unsigned(state.segment(which).selector()));
  }

  private static long unsigned(int value) {
    return Integer.toUnsignedLong(value);
  }

  /** In the order of {@link PrStatus.Reg}: what {@code pt_regs} has, then what it has not. */
  private static Register[] prStatusRegisters() {
    var registers = new ArrayList<Register>(PtRegs.ORDER);
    registers.addAll(
        List.of(X86_64.FS_BASE, X86_64.GS_BASE, X86_64.DS, X86_64.ES, X86_64.FS, X86_64.GS));
    return registers.toArray(Register[]::new);
  }

  /** In the order of {@link QemuCpuState.Reg}. */
  private static Register[] qemuRegisters() {
    return new Register[] {
      X86_64.RAX,
      X86_64.RBX,
      X86_64.RCX,
      X86_64.RDX,
      X86_64.RSI,
      X86_64.RDI,
      X86_64.RSP,
      X86_64.RBP,
      X86_64.R8,
      X86_64.R9,
      X86_64.R10,
      X86_64.R11,
      X86_64.R12,
      X86_64.R13,
      X86_64.R14,
      X86_64.R15,
      X86_64.RIP,
      X86_64.RFLAGS
    };
  }
}
