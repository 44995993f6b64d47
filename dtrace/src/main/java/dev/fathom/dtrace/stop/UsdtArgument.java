// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.UnsupportedException;
import dev.fathom.model.Memory;
import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.type.IntType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * An argument of a probe that a program was compiled with, as the assembler was given it: {@code
 * -4@%edi}, {@code 8@$5}, {@code 8@16(%rsp,%rax,8)}. x86-64.
 *
 * @param bytes of the number, 1, 2, 4 or 8
 * @param operand empty for one of a form that is not read
 */
record UsdtArgument(int bytes, boolean signed, Optional<Operand> operand, String text) {
  /** Where the number is. */
  sealed interface Operand {}

  record Constant(long value) implements Operand {}

  /**
   * A register.
   *
   * @param shift bits to leave out: 8 for {@code %ah}
   */
  record InRegister(Register register, int shift) implements Operand {}

  record InMemory(long displacement, Optional<Register> base, Optional<Register> index, int scale)
      implements Operand {}

  /** More are not asked for. */
  private static final int MOST = 32;

  private static final Pattern FORM = Pattern.compile("(-?)([1248])@(\\S+)");
  private static final Pattern CONSTANT =
      Pattern.compile("\\$(-?(?:0x[0-9a-f]{1,16}|[0-9]{1,19}))");
  private static final Pattern REGISTER = Pattern.compile("%([a-z0-9]{2,4})");
  private static final Pattern MEMORY =
      Pattern.compile(
          "(-?(?:0x[0-9a-f]{1,8}|[0-9]{1,10}))?\\(%([a-z0-9]{2,4})(?:,%([a-z0-9]{2,4})(?:,([1248]))?)?\\)");

  private static final Map<String, InRegister> NAMES = names();

  private static Map<String, InRegister> names() {
    var names = new TreeMap<String, InRegister>();
    var legacy = Map.of("a", X86_64.RAX, "b", X86_64.RBX, "c", X86_64.RCX, "d", X86_64.RDX);
    legacy.forEach(
        (letter, register) -> {
          var whole = new InRegister(register, 0);
          names.put("r" + letter + "x", whole);
          names.put("e" + letter + "x", whole);
          names.put(letter + "x", whole);
          names.put(letter + "l", whole);
          names.put(letter + "h", new InRegister(register, 8));
        });
    var pointers = Map.of("si", X86_64.RSI, "di", X86_64.RDI, "bp", X86_64.RBP, "sp", X86_64.RSP);
    pointers.forEach(
        (name, register) -> {
          for (var spelling : List.of("r" + name, "e" + name, name, name + "l")) {
            names.put(spelling, new InRegister(register, 0));
          }
        });
    for (int i = 8; i < X86_64.ENCODED.size(); i++) {
      for (var width : List.of("", "d", "w", "b")) {
        names.put("r" + i + width, new InRegister(X86_64.ENCODED.get(i), 0));
      }
    }
    return names;
  }

  /** The arguments of a probe. */
  static List<UsdtArgument> parse(String text) {
    var found = new ArrayList<UsdtArgument>();
    for (var word : text.strip().split("\\s+")) {
      if (!word.isEmpty() && found.size() < MOST) {
        found.add(one(word));
      }
    }
    return found;
  }

  private static UsdtArgument one(String word) {
    var form = FORM.matcher(word);
    if (!form.matches()) {
      return new UsdtArgument(8, true, Optional.empty(), word);
    }
    return new UsdtArgument(
        Integer.parseInt(form.group(2)), !form.group(1).isEmpty(), operand(form.group(3)), word);
  }

  private static Optional<Operand> operand(String text) {
    var constant = CONSTANT.matcher(text);
    if (constant.matches()) {
      return number(constant.group(1)).map(Constant::new);
    }
    var register = REGISTER.matcher(text);
    if (register.matches()) {
      return Optional.ofNullable(NAMES.get(register.group(1)));
    }
    var memory = MEMORY.matcher(text);
    if (!memory.matches()) {
      return Optional.empty();
    }
    var displacement = memory.group(1) == null ? Optional.of(0L) : number(memory.group(1));
    var base = whole(memory.group(2));
    var index = memory.group(3) == null ? Optional.<Register>empty() : whole(memory.group(3));
    if (displacement.isEmpty() || base.isEmpty() || (memory.group(3) != null && index.isEmpty())) {
      return Optional.empty();
    }
    int scale = memory.group(4) == null ? 1 : Integer.parseInt(memory.group(4));
    return Optional.of(new InMemory(displacement.get(), base, index, scale));
  }

  private static Optional<Register> whole(String name) {
    return name.startsWith("r")
        ? Optional.ofNullable(NAMES.get(name)).map(InRegister::register)
        : Optional.empty();
  }

  private static Optional<Long> number(String text) {
    boolean negative = text.startsWith("-");
    var digits = negative ? text.substring(1) : text;
    try {
      long value =
          digits.startsWith("0x")
              ? Long.parseUnsignedLong(digits.substring(2), 16)
              : Long.parseUnsignedLong(digits);
      return Optional.of(negative ? -value : value);
    } catch (NumberFormatException _) {
      return Optional.empty(); // 19 digits may be too many.
    }
  }

  /** Its type in D. */
  IntType type() {
    var name =
        switch (bytes) {
          case 1 -> "char";
          case 2 -> "short";
          case 4 -> "int";
          default -> "long";
        };
    return new IntType(signed ? name : "unsigned " + name, bytes, signed, false);
  }

  /** Its value where a thread stands at the probe. */
  long value(Registers registers, Memory memory) {
    var where =
        operand.orElseThrow(
            () -> new UnsupportedException("the argument " + text + " is not read"));
    return switch (where) {
      case Constant(long value) -> narrow(value);
      case InRegister(Register register, int shift) -> narrow(get(registers, register) >>> shift);
      case InMemory at -> {
        long address = at.displacement();
        address += at.base().isPresent() ? get(registers, at.base().get()) : 0;
        address += at.index().isPresent() ? get(registers, at.index().get()) * at.scale() : 0;
        yield narrow(load(memory, address));
      }
    };
  }

  private long load(Memory memory, long address) {
    byte[] read = memory.bytes(address, bytes);
    long value = 0;
    for (int i = bytes - 1; i >= 0; i--) {
      value = value << 8 | (read[i] & 0xff);
    }
    return value;
  }

  private long narrow(long value) {
    int spare = 64 - 8 * bytes;
    return signed ? value << spare >> spare : value << spare >>> spare;
  }

  private static long get(Registers registers, Register register) {
    return registers
        .get(register)
        .orElseThrow(
            () -> new UnsupportedException("register " + register.name() + " cannot be read"));
  }
}
