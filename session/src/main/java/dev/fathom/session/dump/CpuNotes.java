// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import dev.fathom.format.elf.Elf;
import dev.fathom.format.elf.ElfNoteWriter;
import dev.fathom.format.elf.PrStatus;
import dev.fathom.format.elf.QemuCpuState;
import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.Cpu;
import java.util.List;
import java.util.OptionalLong;

/**
 * Notes for the CPUs of a live machine, as QEMU's {@code dump-guest-memory} writes them: a PRSTATUS
 * for each, then, where control registers are known, a state for each.
 */
final class CpuNotes {
  /** Where x86-64 has the limit of a segment that has none. */
  private static final int NO_LIMIT = 0xffff_ffff;

  private CpuNotes() {}

  static byte[] of(List<Cpu> cpus) {
    var writer = new ElfNoteWriter();
    boolean states = !cpus.isEmpty();
    for (Cpu cpu : cpus) {
      var registers = new long[PrStatus.Reg.values().length];
      for (PrStatus.Reg reg : PrStatus.Reg.values()) {
        registers[reg.ordinal()] = value(cpu.registers(), register(reg));
      }
      writer.add("CORE", Elf.NT_PRSTATUS, PrStatus.encode(cpu.id() + 1, registers));
      states &= cpu.registers().get(X86_64.CR3).isPresent();
    }
    if (states) {
      for (Cpu cpu : cpus) {
        writer.add(QemuCpuState.OWNER, 0, state(cpu.registers()));
      }
    }
    return writer.bytes();
  }

  private static byte[] state(Registers r) {
    var registers = new long[QemuCpuState.Reg.values().length];
    for (QemuCpuState.Reg reg : QemuCpuState.Reg.values()) {
      registers[reg.ordinal()] = value(r, register(reg));
    }
    var segments = new QemuCpuState.Segment[QemuCpuState.Seg.values().length];
    for (QemuCpuState.Seg seg : QemuCpuState.Seg.values()) {
      segments[seg.ordinal()] = segment(r, seg);
    }
    OptionalLong kernelGs = r.get(X86_64.KERNEL_GS_BASE);
    long[] controls = {
      value(r, X86_64.CR0), 0, value(r, X86_64.CR2), value(r, X86_64.CR3), value(r, X86_64.CR4)
    };
    return QemuCpuState.encode(registers, segments, controls, kernelGs);
  }

  private static QemuCpuState.Segment segment(Registers r, QemuCpuState.Seg seg) {
    return switch (seg) {
      case CS -> selector(r, X86_64.CS, 0);
      case DS -> selector(r, X86_64.DS, 0);
      case ES -> selector(r, X86_64.ES, 0);
      case FS -> selector(r, X86_64.FS, value(r, X86_64.FS_BASE));
      case GS -> selector(r, X86_64.GS, value(r, X86_64.GS_BASE));
      case SS -> selector(r, X86_64.SS, 0);
      case LDT -> selector(r, X86_64.LDT, value(r, X86_64.LDT_BASE));
      case TR -> selector(r, X86_64.TR, value(r, X86_64.TR_BASE));
      case GDT -> table(r, X86_64.GDT_LIMIT, X86_64.GDT_BASE);
      case IDT -> table(r, X86_64.IDT_LIMIT, X86_64.IDT_BASE);
    };
  }

  private static QemuCpuState.Segment selector(Registers r, Register register, long base) {
    return new QemuCpuState.Segment((int) value(r, register), NO_LIMIT, 0, base);
  }

  private static QemuCpuState.Segment table(Registers r, Register limit, Register base) {
    return new QemuCpuState.Segment(0, (int) value(r, limit), 0, value(r, base));
  }

  /** The formats have no way to say that a register is not known. */
  private static long value(Registers r, Register register) {
    return r.get(register).orElse(0);
  }

  private static Register register(PrStatus.Reg reg) {
    return switch (reg) {
      case R15 -> X86_64.R15;
      case R14 -> X86_64.R14;
      case R13 -> X86_64.R13;
      case R12 -> X86_64.R12;
      case RBP -> X86_64.RBP;
      case RBX -> X86_64.RBX;
      case R11 -> X86_64.R11;
      case R10 -> X86_64.R10;
      case R9 -> X86_64.R9;
      case R8 -> X86_64.R8;
      case RAX -> X86_64.RAX;
      case RCX -> X86_64.RCX;
      case RDX -> X86_64.RDX;
      case RSI -> X86_64.RSI;
      case RDI -> X86_64.RDI;
      case ORIG_RAX -> X86_64.ORIG_RAX;
      case RIP -> X86_64.RIP;
      case CS -> X86_64.CS;
      case EFLAGS -> X86_64.RFLAGS;
      case RSP -> X86_64.RSP;
      case SS -> X86_64.SS;
      case FS_BASE -> X86_64.FS_BASE;
      case GS_BASE -> X86_64.GS_BASE;
      case DS -> X86_64.DS;
      case ES -> X86_64.ES;
      case FS -> X86_64.FS;
      case GS -> X86_64.GS;
    };
  }

  private static Register register(QemuCpuState.Reg reg) {
    return switch (reg) {
      case RAX -> X86_64.RAX;
      case RBX -> X86_64.RBX;
      case RCX -> X86_64.RCX;
      case RDX -> X86_64.RDX;
      case RSI -> X86_64.RSI;
      case RDI -> X86_64.RDI;
      case RSP -> X86_64.RSP;
      case RBP -> X86_64.RBP;
      case R8 -> X86_64.R8;
      case R9 -> X86_64.R9;
      case R10 -> X86_64.R10;
      case R11 -> X86_64.R11;
      case R12 -> X86_64.R12;
      case R13 -> X86_64.R13;
      case R14 -> X86_64.R14;
      case R15 -> X86_64.R15;
      case RIP -> X86_64.RIP;
      case RFLAGS -> X86_64.RFLAGS;
    };
  }
}
