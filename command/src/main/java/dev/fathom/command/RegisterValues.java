// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.model.Program;
import dev.fathom.model.Value;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.Member;
import dev.fathom.target.RawRegisters;
import dev.fathom.target.RawRegisters.Raw;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Vector registers and those of the FPU as values, with the types that gdb gives them: a vector is
 * a union of all that it may hold.
 */
public final class RegisterValues {
  private static final int WIDE = 16;

  private RegisterValues() {}

  /**
   * Whether a name is that of such a register of x86-64. Other machines, and targets that tell of
   * none, leave these names to variables.
   */
  private static boolean isName(Invocation call, String name) {
    return name.matches(
            "[xy]mm([0-9]|[12][0-9]|3[01])|st[0-7]|mxcsr|f(ctrl|stat|tag|iseg|ioff|oseg|ooff|op)")
        && call.program().architecture() instanceof X86_64
        && call.session().target().find(RawRegisters.class).isPresent();
  }

  /**
   * The register of that name of the selected thread; empty where none has it.
   *
   * @throws EvalException when its value is not known
   */
  static Optional<Value> of(Invocation call, String name) {
    if (!isName(call, name)) {
      return Optional.empty();
    }
    // Functions of a process keep none of them for their callers: each frame has the thread's.
    if (call.environment().selectedFrame() > 0 && !call.kernel().isProcess()) {
      throw new EvalException("$" + name + " is known of the innermost frame only");
    }
    try {
      return Optional.ofNullable(all(call).get(name));
    } catch (UnsupportedException _) {
      return Optional.empty(); // The target describes none: a variable may have the name.
    } catch (EvalException e) {
      throw e;
    } catch (FathomException e) {
      throw new EvalException("$" + name + " is not known: " + e.getMessage());
    }
  }

  /**
   * All of the selected thread, by name, in the target's order.
   *
   * @throws FathomException when the target tells of none
   */
  public static Map<String, Value> all(Invocation call) {
    var task = Tasks.selected(call);
    var file = call.program().architecture().registers();
    var raw = VectorRegisters.raw(call.session(), VectorRegisters.cpu(call, task), file);
    var values = new LinkedHashMap<String, Value>();
    var byName = new LinkedHashMap<String, Raw>();
    raw.forEach(register -> byName.put(register.name(), register));
    for (var register : raw) {
      if (!isUpperHalf(register, byName)) {
        values.put(register.name(), value(call.program(), register));
      }
    }
    for (var register : raw) {
      if (isUpperHalf(register, byName)) {
        var whole = Arrays.copyOf(byName.get(lowerHalf(register)).value(), 2 * WIDE);
        System.arraycopy(register.value(), 0, whole, WIDE, WIDE);
        var name = register.name().substring(0, register.name().length() - 1);
        values.put(name, Value.held(call.program(), vector(2 * WIDE), whole));
      }
    }
    return values;
  }

  /** What gdb's protocol has of {@code ymm0} is its upper half; the lower one is {@code xmm0}. */
  private static boolean isUpperHalf(Raw register, Map<String, Raw> all) {
    var low = all.get(lowerHalf(register));
    return register.name().matches("ymm[0-9]+h")
        && register.value().length == WIDE
        && low != null
        && low.value().length == WIDE;
  }

  private static String lowerHalf(Raw register) {
    return register.name().replaceFirst("^y(mm[0-9]+)h$", "x$1");
  }

  private static Value value(Program program, Raw register) {
    var bytes = register.value();
    var flags = FlagRegisters.of(register.name()).filter(type -> type.bytes() == bytes.length);
    if (flags.isPresent()) {
      return Value.held(program, flags.get(), bytes);
    }
    if (register.bits() == 80) {
      return Value.held(program, new FloatType("i387_ext", WIDE), Arrays.copyOf(bytes, WIDE));
    }
    return bytes.length >= WIDE
        ? Value.held(program, vector(bytes.length), bytes)
        : Value.held(program, new IntType("int", bytes.length, true, false), bytes);
  }

  private static CType vector(int bytes) {
    var members = new ArrayList<Member>();
    add(members, bytes, "bfloat16", new FloatType("bfloat16", 2));
    add(members, bytes, "half", new FloatType("_Float16", 2));
    add(members, bytes, "float", new FloatType("float", 4));
    add(members, bytes, "double", new FloatType("double", 8));
    for (int size = 1; size < WIDE; size *= 2) {
      int bits = 8 * size;
      add(members, bytes, "int" + bits, new IntType("int" + bits + "_t", size, true, false));
    }
    var wide = new IntType("uint128_t", WIDE, false, false);
    if (bytes == WIDE) {
      members.add(new Member("uint128", wide, 0, 0));
    } else {
      add(members, bytes, "int128", new IntType("int128_t", WIDE, true, false));
    }
    return new CompositeType(
        CompositeType.Kind.UNION, "vec" + 8 * bytes, bytes, () -> List.copyOf(members));
  }

  private static void add(List<Member> members, int bytes, String name, CType element) {
    long count = bytes / element.bytes();
    var type = ArrayType.vector(() -> element, OptionalLong.of(count));
    members.add(new Member("v" + count + "_" + name, type, 0, 0));
  }
}
