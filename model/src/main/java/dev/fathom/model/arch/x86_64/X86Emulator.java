// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.x86_64;

import dev.fathom.model.Registers;
import dev.fathom.model.arch.Effect;
import dev.fathom.model.arch.Loads;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Carries out the instructions with which functions begin and end, exactly: no-operations and
 * {@code endbr64}, {@code push} of a register, {@code pushf}, {@code mov}, {@code lea}, {@code
 * add}, {@code sub}, {@code and}, {@code or}, {@code xor}, {@code cmp}, {@code test} of registers
 * and constants, direct jumps, also those on conditions, and calls (Intel SDM volume 2). Where
 * memory can be loaded as the instruction itself would, the same with an operand in memory, {@code
 * movzx}, {@code movsx}, {@code pop}, {@code leave}, {@code ret} and jumps through memory. An
 * instruction that loads and stores the same place is not among them: it cannot be begun again.
 * Whatever else there is, or what depends on a register that is not known, is refused.
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

  /** What pushf stores: not RF and VM (Intel SDM volume 2B). A step would leave TF in it. */
  private static final long PUSHED = 0xfc_ffff;

  /** The highest bits of an address, which repeat the one before. */
  private static final int NOT_OF_ADDRESSES = 16;

  private static final int REX = 0x40;
  private static final int REX_W = 8;
  private static final int REX_R = 4;
  private static final int REX_X = 2;
  private static final int REX_B = 1;

  private final byte[] code;
  private final long pc;
  private final Registers registers;
  private final Optional<Loads> loads;
  private final List<Effect.Write> writes = new ArrayList<>();
  private final List<Effect.Store> stores = new ArrayList<>();
  private int at;
  private int rex;
  private boolean extended;

  /** Bytes of the operands: 1, 4 or 8. */
  private int size;

  private boolean known = true;

  private X86Emulator(byte[] code, long pc, Registers registers, Optional<Loads> loads) {
    this.code = code;
    this.pc = pc;
    this.registers = registers;
    this.loads = loads;
  }

  /** What the instruction at the start of {@code code} does; empty when it is none of the above. */
  static Optional<Effect> run(byte[] code, long pc, Registers registers, Optional<Loads> loads) {
    var flags = registers.get(X86_64.RFLAGS);
    if (flags.isPresent() && (flags.getAsLong() & (TRAP | RESUME)) != 0) {
      return Optional.empty(); // A guest that steps itself must see its own trap.
    }
    var emulator = new X86Emulator(code, pc, registers, loads);
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
      extended = true;
      opcode = u8();
    }
    size = wide() ? 8 : 4;
    if (opcode == 0x90 && (rex & REX_B) == 0) {
      return next();
    }
    if (opcode == 0x0f) {
      return twoBytes(narrow);
    }
    if (narrow) {
      return OptionalLong.empty();
    }
    return switch (opcode) {
      case 0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57 -> push(opcode & 7);
      case 0x58, 0x59, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f -> pop(opcode & 7);
      case 0x70,
          0x71,
          0x72,
          0x73,
          0x74,
          0x75,
          0x76,
          0x77,
          0x78,
          0x79,
          0x7a,
          0x7b,
          0x7c,
          0x7d,
          0x7e,
          0x7f -> {
        long distance = (byte) u8();
        yield branch(opcode & 0xf, distance);
      }
      case 0x9c -> {
        var flags = registers.get(X86_64.RFLAGS);
        known &= flags.isPresent();
        push(flags.orElse(0) & PUSHED);
        yield next();
      }
      case 0xb8, 0xb9, 0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf -> {
        int number = (opcode & 7) | (rex & REX_B) << 3;
        write(number, wide() ? i64() : i32() & 0xffff_ffffL);
        yield next();
      }
      case 0x01, 0x09, 0x21, 0x29, 0x31, 0x39, 0x85, 0x89 -> toOperand(opcode);
      case 0x03, 0x0b, 0x23, 0x2b, 0x33, 0x3b, 0x8b, 0x63 -> fromOperand(opcode);
      case 0x81, 0x83, 0xc7, 0xf7 -> withConstant(opcode);
      case 0x80, 0x84, 0x88, 0xc6, 0xf6 -> ofBytes(opcode);
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
        push(pc + at);
        yield OptionalLong.of(pc + at + distance);
      }
      case 0xc3 -> {
        long sp = read(4);
        long to = load(sp, 8);
        writes.add(new Effect.Write(X86_64.RSP, sp + 8));
        yield loaded(to);
      }
      case 0xc9 -> {
        long bp = read(5);
        writes.add(new Effect.Write(X86_64.RBP, load(bp, 8)));
        writes.add(new Effect.Write(X86_64.RSP, bp + 8));
        yield next();
      }
      case 0xff -> {
        var operand = operand(0);
        yield operand.field() == 4 && operand.memory()
            ? loaded(load(operand.address(), 8))
            : OptionalLong.empty();
      }
      default -> OptionalLong.empty();
    };
  }

  private OptionalLong twoBytes(boolean narrow) {
    int opcode = u8();
    if (opcode == 0x1f) {
      return longNop();
    }
    if (narrow) {
      return OptionalLong.empty();
    }
    switch (opcode) {
      case 0xb6, 0xb7, 0xbe, 0xbf -> {
        int bytes = 1 + (opcode & 1);
        var operand = operand(0);
        if (bytes == 1 && !operand.memory() && isHigh(operand.number())) {
          return OptionalLong.empty();
        }
        long value = operand.memory() ? load(operand.address(), bytes) : read(operand.number());
        int unused = Long.SIZE - 8 * bytes;
        write(
            operand.register(),
            opcode < 0xb8 ? value << unused >>> unused : value << unused >> unused);
        return next();
      }
      default -> {
        if ((opcode & 0xf0) != 0x80) {
          return OptionalLong.empty();
        }
        long distance = i32();
        return branch(opcode & 0xf, distance);
      }
    }
  }

  /** A jump to an address from memory: what cannot be one faults, in one place or the other. */
  private OptionalLong loaded(long address) {
    known &= address << NOT_OF_ADDRESSES >> NOT_OF_ADDRESSES == address;
    return OptionalLong.of(address);
  }

  /** A jump on a condition, numbered as in its opcode. */
  private OptionalLong branch(int condition, long distance) {
    var flags = registers.get(X86_64.RFLAGS);
    known &= flags.isPresent();
    long f = flags.orElse(0);
    boolean less = ((f & SIGN) != 0) != ((f & OVERFLOW) != 0);
    boolean holds =
        switch (condition >> 1) {
          case 0 -> (f & OVERFLOW) != 0;
          case 1 -> (f & CARRY) != 0;
          case 2 -> (f & ZERO) != 0;
          case 3 -> (f & (CARRY | ZERO)) != 0;
          case 4 -> (f & SIGN) != 0;
          case 5 -> (f & PARITY) != 0;
          case 6 -> less;
          default -> less || (f & ZERO) != 0;
        };
    return holds == ((condition & 1) == 0) ? OptionalLong.of(pc + at + distance) : next();
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
    push(read(low | (rex & REX_B) << 3));
    return next();
  }

  /** Pushes a word. */
  private void push(long value) {
    long sp = read(4) - 8;
    stores.add(new Effect.Store(sp, bytes(value, 8)));
    writes.add(new Effect.Write(X86_64.RSP, sp));
  }

  private OptionalLong pop(int low) {
    long sp = read(4);
    long value = load(sp, 8);
    // Popped into itself the stack pointer is what was popped.
    writes.add(new Effect.Write(X86_64.RSP, sp + 8));
    writes.add(new Effect.Write(X86_64.ENCODED.get(low | (rex & REX_B) << 3), value));
    return next();
  }

  /**
   * What ModRM names.
   *
   * @param memory whether it is in memory
   * @param address where, in memory
   * @param number of the register, else
   * @param register the other operand
   * @param field the bits that name the other operand, or continue the opcode
   */
  private record Operand(boolean memory, long address, int number, int register, int field) {}

  /**
   * Reads ModRM and what belongs to it.
   *
   * @param constant the bytes of a constant behind it
   */
  private Operand operand(int constant) {
    int modrm = u8();
    int mode = modrm >> 6;
    int base = modrm & 7;
    int field = modrm >> 3 & 7;
    int register = field | (rex & REX_R) << 1;
    if (mode == 3) {
      return new Operand(false, 0, base | (rex & REX_B) << 3, register, field);
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
        return new Operand(true, address + i32(), 0, register, field);
      }
    } else if (mode == 0 && base == 5) {
      long distance = i32();
      return new Operand(true, pc + at + constant + distance, 0, register, field);
    }
    address += read(base | (rex & REX_B) << 3);
    address += mode == 1 ? (byte) u8() : mode == 2 ? i32() : 0;
    return new Operand(true, address, 0, register, field);
  }

  private long value(Operand operand) {
    return operand.memory() ? load(operand.address(), size) : read(operand.number());
  }

  /** The operand is where the result goes. */
  private OptionalLong toOperand(int opcode) {
    var operand = operand(0);
    if (opcode == 0x89) {
      move(operand, read(operand.register()));
      return next();
    }
    if (opcode == 0x31 && !operand.memory() && operand.number() == operand.register()) {
      write(operand.number(), logic(0)); // Cleared by itself it need not be known.
      return next();
    }
    boolean compares = opcode == 0x39 || opcode == 0x85;
    if (operand.memory() && !compares) {
      return OptionalLong.empty();
    }
    long result = result(opcode, value(operand), read(operand.register()));
    if (!compares) {
      write(operand.number(), result);
    }
    return next();
  }

  /** The register is where the result goes. */
  private OptionalLong fromOperand(int opcode) {
    if (opcode == 0x63) {
      if (!wide()) {
        return OptionalLong.empty();
      }
      var operand = operand(0);
      write(
          operand.register(),
          (int) (operand.memory() ? load(operand.address(), 4) : read(operand.number())));
      return next();
    }
    var operand = operand(0);
    if (opcode == 0x8b) {
      write(operand.register(), value(operand));
    } else if (opcode == 0x33 && !operand.memory() && operand.number() == operand.register()) {
      write(operand.register(), logic(0));
    } else {
      long result = result(opcode - 2, read(operand.register()), value(operand));
      if (opcode != 0x3b) {
        write(operand.register(), result);
      }
    }
    return next();
  }

  /** What an operation gives, by the opcode that puts it into its operand. */
  private long result(int opcode, long left, long right) {
    return switch (opcode) {
      case 0x01 -> add(left, right);
      case 0x09 -> logic(left | right);
      case 0x21, 0x85 -> logic(left & right);
      case 0x31 -> logic(left ^ right);
      default -> subtract(left, right);
    };
  }

  private OptionalLong withConstant(int opcode) {
    var operand = operand(opcode == 0x83 ? 1 : 4);
    if (opcode == 0xc7) {
      if (operand.field() != 0) {
        return OptionalLong.empty();
      }
      move(operand, i32());
      return next();
    }
    if (opcode == 0xf7) {
      if (operand.field() != 0) {
        return OptionalLong.empty();
      }
      logic(value(operand) & i32());
      return next();
    }
    boolean compares = operand.field() == 7;
    if (operand.memory() && !compares) {
      return OptionalLong.empty();
    }
    long left = value(operand);
    long constant = opcode == 0x83 ? (byte) u8() : i32();
    switch (operand.field()) {
      case 0 -> write(operand.number(), add(left, constant));
      case 1 -> write(operand.number(), logic(left | constant));
      case 4 -> write(operand.number(), logic(left & constant));
      case 5 -> write(operand.number(), subtract(left, constant));
      case 6 -> write(operand.number(), logic(left ^ constant));
      case 7 -> subtract(left, constant);
      default -> {
        return OptionalLong.empty();
      }
    }
    return next();
  }

  /** Comparisons of bytes, and bytes that are stored. */
  private OptionalLong ofBytes(int opcode) {
    size = 1;
    boolean constant = opcode != 0x84 && opcode != 0x88;
    var operand = operand(constant ? 1 : 0);
    boolean stores = opcode == 0x88 || opcode == 0xc6;
    int wanted = opcode == 0x80 ? 7 : 0;
    if ((constant && operand.field() != wanted)
        || (stores && !operand.memory())
        || (!operand.memory() && isHigh(operand.number()))
        || (!constant && isHigh(operand.register()))) {
      return OptionalLong.empty();
    }
    long left = stores ? 0 : value(operand);
    long right = constant ? (byte) u8() : read(operand.register());
    if (stores) {
      move(operand, right);
    } else if (opcode == 0x80) {
      subtract(left, right);
    } else {
      logic(left & right);
    }
    return next();
  }

  /** Whether the number of a register of one byte stands for the second byte of another. */
  private boolean isHigh(int number) {
    return !extended && number >= 4;
  }

  private OptionalLong lea() {
    var operand = operand(0);
    if (!operand.memory()) {
      return OptionalLong.empty();
    }
    write(operand.register(), operand.address());
    return next();
  }

  /** Stores where only memory is that can be loaded from, too: not to devices. */
  private void move(Operand to, long value) {
    if (to.memory()) {
      known &= loads.isPresent();
      stores.add(new Effect.Store(to.address(), bytes(value, size)));
    } else {
      write(to.number(), value);
    }
  }

  private static byte[] bytes(long value, int count) {
    var bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) (value >> (8 * i));
    }
    return bytes;
  }

  private long load(long address, int count) {
    var bytes =
        known && loads.isPresent() ? loads.get().load(address, count) : Optional.<byte[]>empty();
    known &= bytes.isPresent();
    long value = 0;
    for (int i = 0; bytes.isPresent() && i < count; i++) {
      value |= (bytes.get()[i] & 0xffL) << (8 * i);
    }
    return value;
  }

  // Numbers

  private boolean wide() {
    return (rex & REX_W) != 0;
  }

  private long cut(long value) {
    int unused = Long.SIZE - 8 * size;
    return value << unused >>> unused;
  }

  private long top() {
    return 1L << (8 * size - 1);
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
