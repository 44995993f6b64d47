// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.language;

import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.command.Tasks;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.Task;
import dev.fathom.model.Value;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.QualifiedType;
import dev.fathom.model.type.TypedefType;
import dev.fathom.model.type.VoidType;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Turns what flows through a pipe into what the next command accepts, so that no command has to: a
 * structure, a pointer to it, a place that holds such a pointer, an untyped address and a process
 * id all become the structure. A structure of another type is refused, unless one of the two begins
 * with the other, and so are pointers to pointers and null pointers.
 */
final class Coercion {
  /** The type of an address that was typed. */
  static final CType ADDRESS = new IntType("uintptr_t", 8, false, false);

  private static final int FIRST_MEMBER_LIMIT = 16;

  private final Kernel kernel;
  private final Map<String, Optional<CType>> types = new HashMap<>();

  Coercion(Kernel kernel) {
    this.kernel = kernel;
  }

  Value address(long bits) {
    return new Value.Imm(kernel.program(), ADDRESS, bits);
  }

  /** The number that stands for a value in mdb's language: dot, while a command handles it. */
  static long dot(Value value) {
    return switch (value) {
      case Value.Ref ref -> ref.address();
      case Value.Imm imm -> imm.bits();
    };
  }

  /**
   * @param accepted a type's name, such as {@code struct task_struct}
   */
  Value to(Value value, String accepted) {
    var wanted = types.computeIfAbsent(accepted, this::find);
    // Where this kernel does not describe the type, the command must do with what there is.
    return wanted.isPresent() ? to(value, wanted.get()) : value;
  }

  private Optional<CType> find(String name) {
    try {
      return Optional.of(kernel.program().types().parse(name));
    } catch (LookupException _) {
      return Optional.empty();
    }
  }

  private Value to(Value value, CType wanted) {
    return switch (value) {
      case Value.Ref ref -> fromPlace(ref, wanted);
      case Value.Imm imm -> fromNumber(imm, wanted);
    };
  }

  private Value fromPlace(Value.Ref ref, CType wanted) {
    if (same(ref.type(), wanted)) {
      return ref;
    }
    return switch (ref.type().resolved()) {
      case CompositeType composite -> {
        checkRelated(composite, wanted);
        yield seenAs(ref, wanted);
      }
      // What stands in the place counts, not where it stands.
      case PointerType _, IntType _, EnumType _, BoolType _ ->
          fromNumber(new Value.Imm(ref.program(), ref.type(), ref.asLong()), wanted);
      case ArrayType array -> {
        switch (array.element().resolved()) {
          case CompositeType composite -> checkRelated(composite, wanted);
          case PointerType _ -> throw unrelated(array, wanted);
          // Bare storage.
          case ArrayType _,
              BoolType _,
              EnumType _,
              FloatType _,
              FunctionType _,
              IntType _,
              OpaqueType _,
              QualifiedType _,
              TypedefType _,
              VoidType _ -> {}
        }
        yield seenAs(ref, wanted);
      }
      case OpaqueType _, VoidType _ -> seenAs(ref, wanted);
      case FloatType _, FunctionType _, QualifiedType _, TypedefType _ ->
          throw unrelated(ref.type(), wanted);
    };
  }

  private static Value seenAs(Value.Ref ref, CType wanted) {
    return new Value.Ref(ref.program(), wanted, ref.space(), ref.address(), 0, 0);
  }

  private Value fromNumber(Value.Imm imm, CType wanted) {
    boolean small = !Tasks.isAddress(imm.bits());
    if (imm.type().resolved() instanceof PointerType pointer) {
      if (pointer.target().resolved() instanceof CompositeType composite) {
        checkRelated(composite, wanted);
      } else if (pointer.target().resolved() instanceof PointerType) {
        throw unrelated(pointer, wanted);
      }
      if (small) {
        throw new EvalException(
            "0x" + Long.toHexString(imm.bits()) + " is not the address of a " + wanted.text());
      }
    }
    return small ? ofProcess(imm.bits(), wanted) : new Value.Ref(imm.program(), wanted, imm.bits());
  }

  private Value ofProcess(long id, CType wanted) {
    Optional<Value> task = kernel.taskOfId(id).map(Task::object);
    if (task.isPresent() && same(task.get().type(), wanted)) {
      return task.get();
    }
    throw new EvalException(
        "0x"
            + Long.toHexString(id)
            + " is neither the address of a "
            + wanted.text()
            + " nor the id of a thread");
  }

  private static void checkRelated(CompositeType found, CType wanted) {
    if (!same(found, wanted) && !beginsWith(found, wanted) && !beginsWith(wanted, found)) {
      throw unrelated(found, wanted);
    }
  }

  private static EvalException unrelated(CType found, CType wanted) {
    return new EvalException("expected " + wanted.text() + ", but got " + found.text());
  }

  private static boolean beginsWith(CType outer, CType inner) {
    CType at = outer.resolved();
    for (int depth = 0; depth < FIRST_MEMBER_LIMIT; depth++) {
      if (!(at instanceof CompositeType composite) || composite.members().isEmpty()) {
        return false;
      }
      at = composite.members().getFirst().type().resolved();
      if (same(at, inner)) {
        return true;
      }
    }
    return false;
  }

  /** Whether both are the same type; types of the same tag from two sources are. */
  static boolean same(CType a, CType b) {
    var x = a.resolved();
    var y = b.resolved();
    if (x instanceof CompositeType c && y instanceof CompositeType d) {
      boolean named = !c.name().isEmpty() && c.name().equals(d.name()) && c.kind() == d.kind();
      return named || c.equals(d);
    }
    return x.equals(y);
  }
}
