// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.monitor;

import dev.fathom.model.Register;
import dev.fathom.model.RegisterFile;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.x86_64.X86_64;
import java.util.ArrayList;
import java.util.List;

/**
 * Registers as the monitor's {@code info registers -a} prints them, each CPU after a line {@code
 * CPU#N}. For x86-64 (target/i386/cpu-dump.c):
 *
 * <pre>
 * RAX=ffff8eb0811fa0c0 RBX=ffff8eb09f431980 RCX=ffff8eb09f4323f8 RDX=ffff8eb09f4323f8
 * R8 =ffff8eb09f4323f8 R9 =00000000314471b0 R10=00000000fffffffb R11=0000000000000000
 * RIP=ffffffff86010c63 RFL=00000086 [--S--P-] CPL=0 II=0 A20=1 SMM=0 HLT=0
 * CS =0010 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]
 * GDT=     fffffe0000001000 0000007f
 * CR0=80050033 CR2=ffff8eb092a01000 CR3=0000000011c10000 CR4=00750eb0
 * </pre>
 *
 * A segment has selector, base, limit and flags. A CPU that is not in 64-bit mode prints {@code
 * EAX}, {@code EIP} and {@code EFL}. For 64-bit Arm (target/arm/cpu.c), which prints no system
 * registers:
 *
 * <pre>
 *  PC=ffffd6ce7d0f6d34 X00=ffffd6ce7e0c9ac0 X01=0000000000000001
 * X29=ffffd6ce7ea43d90 X30=ffffd6ce7d0f6d28  SP=ffffd6ce7ea43d90
 * PSTATE=600000c5 -ZC- EL1h
 * </pre>
 *
 * Names that are not known are passed over, and so is a value that is no number.
 */
public final class MonitorRegisters {
  private static final int MAX_CPUS = 1 << 14;
  private static final String HEADING = "CPU#";

  /** A CPU's number and what was printed of it. */
  public record State(int id, Registers registers) {}

  private final String text;
  private int at;

  private final RegisterFile file;
  private final boolean arm;

  private MonitorRegisters(String text, RegisterFile file, boolean arm) {
    this.text = text;
    this.file = file;
    this.arm = arm;
  }

  /** The CPUs in the order printed. */
  public static List<State> x86(String text) {
    return new MonitorRegisters(text, X86_64.INSTANCE.registers(), false).states();
  }

  /** The same of 64-bit Arm. */
  public static List<State> aarch64(String text) {
    return new MonitorRegisters(text, Aarch64.INSTANCE.registers(), true).states();
  }

  private List<State> states() {
    var states = new ArrayList<State>();
    int heading = text.startsWith(HEADING) ? 0 : next(0);
    while (heading >= 0 && states.size() < MAX_CPUS) {
      int end = next(heading + 1);
      at = heading + HEADING.length();
      long number = decimal();
      Registers registers = registers(end < 0 ? text.length() : end);
      if (number >= 0 && number <= Integer.MAX_VALUE) {
        states.add(new State((int) number, registers));
      }
      heading = end;
    }
    return states;
  }

  private int next(int from) {
    int newline = text.indexOf("\n" + HEADING, from);
    return newline < 0 ? -1 : newline + 1;
  }

  private long decimal() {
    int start = at;
    while (at < text.length() && at - start < 9 && Character.isDigit(text.charAt(at))) {
      at++;
    }
    return start == at ? -1 : Long.parseLong(text, start, at, 10);
  }

  private Registers registers(int end) {
    Registers.Builder registers = Registers.builder(file);
    while (at < end) {
      int start = at;
      while (at < end && Character.isLetterOrDigit(text.charAt(at))) {
        at++;
      }
      int nameEnd = at;
      while (at < end && text.charAt(at) == ' ') {
        at++;
      }
      if (nameEnd > start && at < end && text.charAt(at) == '=') {
        at++;
        String name = text.substring(start, nameEnd);
        if (arm) {
          Register register = armRegister(name);
          if (register != null) {
            number(end, registers, register);
          }
        } else {
          value(name, end, registers);
        }
      } else if (at == start) {
        at++;
      }
    }
    return registers.build();
  }

  private void value(String name, int end, Registers.Builder registers) {
    switch (name) {
      case "CS" -> segment(end, registers, X86_64.CS, null);
      case "SS" -> segment(end, registers, X86_64.SS, null);
      case "DS" -> segment(end, registers, X86_64.DS, null);
      case "ES" -> segment(end, registers, X86_64.ES, null);
      case "FS" -> segment(end, registers, X86_64.FS, X86_64.FS_BASE);
      case "GS" -> segment(end, registers, X86_64.GS, X86_64.GS_BASE);
      case "LDT" -> segment(end, registers, X86_64.LDT, X86_64.LDT_BASE);
      case "TR" -> segment(end, registers, X86_64.TR, X86_64.TR_BASE);
      case "GDT" -> table(end, registers, X86_64.GDT_BASE, X86_64.GDT_LIMIT);
      case "IDT" -> table(end, registers, X86_64.IDT_BASE, X86_64.IDT_LIMIT);
      default -> {
        Register register = register(name);
        if (register != null) {
          number(end, registers, register);
        }
      }
    }
  }

  private void segment(int end, Registers.Builder registers, Register selector, Register base) {
    number(end, registers, selector);
    if (base != null) {
      number(end, registers, base);
    }
  }

  private void table(int end, Registers.Builder registers, Register base, Register limit) {
    number(end, registers, base);
    number(end, registers, limit);
  }

  private void number(int end, Registers.Builder registers, Register register) {
    while (at < end && text.charAt(at) == ' ') {
      at++;
    }
    int start = at;
    while (at < end && at - start < 16 && Character.digit(text.charAt(at), 16) >= 0) {
      at++;
    }
    if (at > start) {
      registers.set(register, Long.parseUnsignedLong(text, start, at, 16));
    }
  }

  /** Null for what is not kept. */
  private static Register armRegister(String name) {
    switch (name) {
      case "PC" -> {
        return Aarch64.PC;
      }
      case "SP" -> {
        return Aarch64.SP;
      }
      case "PSTATE" -> {
        return Aarch64.PSTATE;
      }
      default -> {}
    }
    if (name.length() == 3 && name.charAt(0) == 'X') {
      int tens = name.charAt(1) - '0';
      int ones = name.charAt(2) - '0';
      boolean digits = tens >= 0 && tens <= 3 && ones >= 0 && ones <= 9;
      if (digits && 10 * tens + ones <= 30) {
        return Aarch64.x(10 * tens + ones);
      }
    }
    return null;
  }

  /** Null for what is not kept: debug, floating point and vector registers. */
  private static Register register(String name) {
    return switch (name) {
      case "RAX", "EAX" -> X86_64.RAX;
      case "RBX", "EBX" -> X86_64.RBX;
      case "RCX", "ECX" -> X86_64.RCX;
      case "RDX", "EDX" -> X86_64.RDX;
      case "RSI", "ESI" -> X86_64.RSI;
      case "RDI", "EDI" -> X86_64.RDI;
      case "RBP", "EBP" -> X86_64.RBP;
      case "RSP", "ESP" -> X86_64.RSP;
      case "R8" -> X86_64.R8;
      case "R9" -> X86_64.R9;
      case "R10" -> X86_64.R10;
      case "R11" -> X86_64.R11;
      case "R12" -> X86_64.R12;
      case "R13" -> X86_64.R13;
      case "R14" -> X86_64.R14;
      case "R15" -> X86_64.R15;
      case "RIP", "EIP" -> X86_64.RIP;
      case "RFL", "EFL" -> X86_64.RFLAGS;
      case "CR0" -> X86_64.CR0;
      case "CR2" -> X86_64.CR2;
      case "CR3" -> X86_64.CR3;
      case "CR4" -> X86_64.CR4;
      default -> null;
    };
  }
}
