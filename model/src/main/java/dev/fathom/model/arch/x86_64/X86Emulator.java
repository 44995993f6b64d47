// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.x86_64;

import dev.fathom.model.Registers;
import dev.fathom.model.arch.Effect;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Carries out the instructions with which functions begin, exactly: no-operations and {@code
 * endbr64}, {@code push} of a register, {@code mov} between registers or of a constant, {@code
 * lea}, {@code sub} and {@code add} of a constant, {@code xor}, {@code sub}, {@code test} and
 * {@code and} of registers, and direct jumps and calls (Intel SDM volume 2). Whatever else there
 * is, or what depends on a register that is not known, is refused.
 *
 * <pre>
 * [66] [REX 40..4f] opcode [ModRM [SIB] [displacement]] [immediate]
 * </pre>
 */
final class X86Emulator {
  private static final long CARRY = 1;
  private static final long PARITY = 1 << 2;
  private static final long ADJUST = 1 << 4;
  private static final long ZERO = 1 << 6;
  private static final long SIGN = 1 << 7;
  private static final long TRAP = 1 << 8;
  private static final long OVERFLOW = 1 << 11;
  private static final long STATUS = CARRY | PARITY | ADJUST | ZERO | SIGN | OVERFLOW;

  /** RFLAGS.RF, which every instruction that is carried out clears. */
  private static final long RESUME = 1 << 16;

  private static final int REX = 0x40;
  private static final int REX_W = 8;
  private static final int REX_R = 4;
  private static final int REX_X = 2;
  private static final int REX_B = 1;

  private final byte[] code;
  private final long pc;
  private final Registers registers;
  private final List<Effect.Write> writes = new ArrayList<>();
  private final List<Effect.Store> stores = new ArrayList<>();
  private int at;
  private int rex;
  private boolean known = true;

  private X86Emulator(byte[] code, long pc, Registers registers) {
    this.code = code;
    this.pc = pc;
    this.registers = registers;
  }

  /** What the instruction at the start of {@code code} does; empty when it is none of the above. */
  static Optional<Effect> run(byte[] code, long pc, Registers registers) {
    var flags = registers.get(X86_64.RFLAGS);
    if (flags.isPresent() && (flags.getAsLong() & (TRAP | RESUME)) != 0) {
      return Optional.empty(); // A guest that steps itself must see its own trap.
    }
    var emulator = new X86Emulator(code, pc, registers);
    try {
      var next = emulator.instruction();
      if (next.isEmpty() || !emulator.known) {
        return Optional.empty();
      }
      emulator.writes.add(new Effect.Write(X86_64.RIP, next.getAsLong()));
      return Optional.of(new Effect(emulator.writes, emulator.stores));
    } catch (IndexOutOfBoundsException _) {
      return Optional.empty(); // The code ends in the middle of the instruction.
    }
  }

  /** Where the CPU goes next. */
  private OptionalLong instruction() {
    if (endBranch()) {
      return OptionalLong.of(pc + 4);
    }
    boolean narrow = false;
    int opcode = u8();
    while (opcode == 0x66 || opcode == 0x2e) {
      narrow |= opcode == 0x66;
      opcode = u8();
    }
    if ((opcode & 0xf0) == REX) {
      rex = opcode & 0xf;
      opcode = u8();
    }
    if (opcode == 0x90 && (rex & REX_B) == 0) {
      return next();
    }
    if (opcode == 0x0f) {
      return longNop();
    }
    if (narrow) {
      return OptionalLong.empty();
    }
    return switch (opcode) {
      case 0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57 -> push(opcode & 7);
      case 0xb8, 0xb9, 0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf -> {
        int number = (opcode & 7) | (rex & REX_B) << 3;
        write(number, wide() ? i64() : i32() & 0xffff_ffffL);
        yield next();
      }
      case 0x21, 0x29, 0x31, 0x85, 0x89, 0x8b, 0x81, 0x83, 0xc7 -> arithmetic(opcode);
      case 0x8d -> lea();
      case 0xeb -> {
        long distance = (byte) u8();
        yield OptionalLong.of(pc + at + distance);
      }
      case 0xe9 -> {
        long distance = i32();
        yield OptionalLong.of(pc + at + distance);
      }
      case 0xe8 -> {
        long distance = i32();
        store(pc + at);
        yield OptionalLong.of(pc + at + distance);
      }
      default -> OptionalLong.empty();
    };
  }

  private boolean endBranch() {
    return code.length >= 4
        && (code[0] & 0xff) == 0xf3
        && (code[1] & 0xff) == 0x0f
        && (code[2] & 0xff) == 0x1e
        && (code[3] & 0xff) == 0xfa;
  }

  /** {@code 0f 1f /0}: its operand is not touched. */
  private OptionalLong longNop() {
    if (u8() != 0x1f) {
      return OptionalLong.empty();
    }
    int modrm = u8();
    if ((modrm >> 3 & 7) != 0) {
      return OptionalLong.empty();
    }
    int mode = modrm >> 6;
    int base = modrm & 7;
    if (mode != 3 && base == 4) {
      base = u8() & 7;
    }
    at += mode == 1 ? 1 : mode == 2 || (mode == 0 && base == 5) ? 4 : 0;
    if (at > code.length) {
      return OptionalLong.empty();
    }
    return next();
  }

  private OptionalLong push(int low) {
    store(read(low | (rex & REX_B) << 3));
    return next();
  }

  /** Pushes a word. */
  private void store(long value) {
    long sp = read(4) - 8;
    stores.add(
        new Effect.Store(
            sp, ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array()));
    writes.add(new Effect.Write(X86_64.RSP, sp));
  }

  private OptionalLong arithmetic(int opcode) {
    int modrm = u8();
    if (modrm >> 6 != 3) {
      return OptionalLong.empty(); // Of memory.
    }
    int reg = (modrm >> 3 & 7) | (rex & REX_R) << 1;
    int rm = (modrm & 7) | (rex & REX_B) << 3;
    switch (opcode) {
      case 0x89 -> write(rm, read(reg));
      case 0x8b -> write(reg, read(rm));
      case 0x85 -> logic(read(rm) & read(reg));
      case 0x21 -> write(rm, logic(read(rm) & read(reg)));
      case 0x31 -> {
        // A register cleared by itself need not be known.
        write(rm, logic(rm == reg ? 0 : read(rm) ^ read(reg)));
      }
      case 0x29 -> write(rm, subtract(read(rm), read(reg)));
      case 0xc7 -> {
        if ((modrm >> 3 & 7) != 0) {
          return OptionalLong.empty();
        }
        write(rm, i32());
      }
      default -> {
        long constant = opcode == 0x83 ? (byte) u8() : i32();
        switch (modrm >> 3 & 7) {
          case 0 -> write(rm, add(read(rm), constant));
          case 4 -> write(rm, logic(read(rm) & constant));
          case 5 -> write(rm, subtract(read(rm), constant));
          case 7 -> subtract(read(rm), constant);
          default -> {
            return OptionalLong.empty();
          }
        }
      }
    }
    return next();
  }

  private OptionalLong lea() {
    int modrm = u8();
    int mode = modrm >> 6;
    int reg = (modrm >> 3 & 7) | (rex & REX_R) << 1;
    int base = modrm & 7;
    if (mode == 3 || !wide()) {
      return OptionalLong.empty();
    }
    long address = 0;
    if (base == 4) {
      int sib = u8();
      int index = (sib >> 3 & 7) | (rex & REX_X) << 2;
      base = sib & 7;
      if (index != 4) {
        address = read(index) << (sib >> 6);
      }
      if (mode == 0 && base == 5) {
        write(reg, address + i32());
        return next();
      }
    } else if (mode == 0 && base == 5) {
      long distance = i32();
      write(reg, pc + at + distance);
      return next();
    }
    address += read(base | (rex & REX_B) << 3);
    address += mode == 1 ? (byte) u8() : mode == 2 ? i32() : 0;
    write(reg, address);
    return next();
  }

  // Numbers

  private boolean wide() {
    return (rex & REX_W) != 0;
  }

  private long cut(long value) {
    return wide() ? value : value & 0xffff_ffffL;
  }

  private long top() {
    return wide() ? Long.MIN_VALUE : 1L << 31;
  }

  private long read(int number) {
    var value = registers.get(X86_64.ENCODED.get(number));
    known &= value.isPresent();
    return value.orElse(0);
  }

  /** A write to 32 bits clears the upper half. */
  private void write(int number, long value) {
    writes.add(new Effect.Write(X86_64.ENCODED.get(number), cut(value)));
  }

  private long logic(long value) {
    long result = cut(value);
    flags(result, 0);
    return result;
  }

  private long add(long left, long right) {
    long l = cut(left);
    long r = cut(right);
    long result = cut(l + r);
    long set = Long.compareUnsigned(result, l) < 0 ? CARRY : 0;
    set |= (l ^ r ^ result) & ADJUST;
    set |= ((l ^ result) & (r ^ result) & top()) != 0 ? OVERFLOW : 0;
    flags(result, set);
    return result;
  }

  private long subtract(long left, long right) {
    long l = cut(left);
    long r = cut(right);
    long result = cut(l - r);
    long set = Long.compareUnsigned(l, r) < 0 ? CARRY : 0;
    set |= (l ^ r ^ result) & ADJUST;
    set |= ((l ^ r) & (l ^ result) & top()) != 0 ? OVERFLOW : 0;
    flags(result, set);
    return result;
  }

  private void flags(long result, long set) {
    var old = registers.get(X86_64.RFLAGS);
    known &= old.isPresent();
    long value = (old.orElse(0) & ~STATUS) | set;
    value |= result == 0 ? ZERO : 0;
    value |= (result & top()) != 0 ? SIGN : 0;
    value |= Integer.bitCount((int) result & 0xff) % 2 == 0 ? PARITY : 0;
    writes.add(new Effect.Write(X86_64.RFLAGS, value));
  }

  // Bytes

  private OptionalLong next() {
    return OptionalLong.of(pc + at);
  }

  private int u8() {
    return code[at++] & 0xff;
  }

  private long i32() {
    long value = 0;
    for (int i = 0; i < 4; i++) {
      value |= (long) u8() << (8 * i);
    }
    return (int) value;
  }

  private long i64() {
    long low = i32() & 0xffff_ffffL;
    return low | i32() << 32;
  }
}
