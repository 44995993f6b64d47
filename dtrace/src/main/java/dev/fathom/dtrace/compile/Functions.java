// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.Span;
import dev.fathom.dtrace.ir.Expr;
import dev.fathom.dtrace.ir.Expr.BinaryOp;
import dev.fathom.dtrace.ir.IrType;
import dev.fathom.dtrace.ir.Space;
import dev.fathom.dtrace.ir.Subroutine;
import dev.fathom.dtrace.syntax.Node;
import dev.fathom.dtrace.syntax.Tag;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.VoidType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Calls of functions inside expressions. */
final class Functions {
  private static final int MOST_FRAMES = 8192;

  /** The least number of arguments of subroutines that allow to leave some out. */
  private static final Map<Subroutine, Integer> LEAST =
      Map.of(
          Subroutine.COPYINSTR, 1,
          Subroutine.INDEX, 2,
          Subroutine.RINDEX, 2,
          Subroutine.SUBSTR, 2,
          Subroutine.LLTOSTR, 1,
          Subroutine.STRTOLL, 1);

  private final Lowering lowering;

  Functions(Lowering lowering) {
    this.lowering = lowering;
  }

  /** Functions that are no subroutines of the intermediate form. */
  Optional<Operand> special(String name, Node.Call c) {
    return switch (name) {
      case "stack" -> Optional.of(stack(c));
      case "ustack", "jstack" -> Optional.of(ustack(name, c));
      case "sym", "func" -> Optional.of(kernelAddress(name, DTypes.SYMADDR, c));
      case "mod" -> Optional.of(kernelAddress(name, DTypes.MODADDR, c));
      case "usym", "ufunc" -> Optional.of(userAddress(name, DTypes.USYMADDR, c));
      case "umod" -> Optional.of(userAddress(name, DTypes.UMODADDR, c));
      case "uaddr" -> Optional.of(userAddress(name, DTypes.UADDR, c));
      case "getmajor" -> Optional.of(device(c, true));
      case "getminor" -> Optional.of(device(c, false));
      case "mutex_owned", "mutex_owner" -> Optional.of(mutex(name, c));
      case "mutex_type_adaptive", "mutex_type_spin" -> {
        // Every mutex of Linux spins while its owner runs and sleeps otherwise.
        address(name, c, "mutex");
        yield Optional.of(
            new Operand.Value(
                DTypes.INT, new Expr.Int(name.equals("mutex_type_adaptive") ? 1 : 0)));
      }
      case "rw_iswriter", "rw_write_held", "rw_read_held" -> Optional.of(rwlock(name, c));
      default -> Optional.empty();
    };
  }

  /** A number of frames that is a constant. */
  private int frames(String name, Node node, Tag tag) {
    var n = lowering.constant(node);
    if (n.isEmpty() || n.getAsLong() <= 0 || n.getAsLong() > MOST_FRAMES) {
      throw lowering.error(
          node.span(),
          tag,
          "the number of frames of " + name + "() must be a constant from 1 to " + MOST_FRAMES);
    }
    return (int) n.getAsLong();
  }

  private Operand stack(Node.Call c) {
    if (c.arguments().size() > 1) {
      throw lowering.error(
          c.span(), Tag.D_STACK_PROTO, "stack() takes at most the number of frames");
    }
    int frames =
        c.arguments().isEmpty()
            ? lowering.limits().stackframes()
            : frames("stack", c.arguments().getFirst(), Tag.D_STACK_SIZE);
    return new Operand.Value(DTypes.STACK, new Expr.KernelStack(frames));
  }

  private Operand ustack(String name, Node.Call c) {
    if (c.arguments().size() > 2) {
      throw lowering.error(
          c.span(),
          Tag.D_USTACK_PROTO,
          name + "() takes at most the number of frames and a string size");
    }
    int frames =
        c.arguments().isEmpty()
            ? lowering.limits().ustackframes()
            : frames(name, c.arguments().getFirst(), Tag.D_USTACK_FRAMES);
    if (c.arguments().size() == 2 && lowering.constant(c.arguments().get(1)).isEmpty()) {
      throw lowering.error(
          c.arguments().get(1).span(),
          Tag.D_USTACK_STRSIZE,
          "the string size of " + name + "() must be a constant");
    }
    return new Operand.Value(DTypes.USTACK, new Expr.UserStack(frames));
  }

  private Expr one(String name, Node.Call c) {
    if (c.arguments().size() != 1) {
      throw length(name, "1 argument", c);
    }
    var v = lowering.value(c.arguments().getFirst());
    if (!DTypes.isScalar(v.type())) {
      throw argument(name, 1, "a number or a pointer", v.type(), c.arguments().getFirst().span());
    }
    return v.code();
  }

  private RuntimeException length(String name, String wanted, Node.Call c) {
    return lowering.error(
        c.span(),
        Tag.D_PROTO_LEN,
        name + "() takes " + wanted + ", " + c.arguments().size() + " given");
  }

  private RuntimeException argument(String name, int number, String wanted, CType given, Span at) {
    return lowering.error(
        at,
        Tag.D_PROTO_ARG,
        "argument "
            + number
            + " of "
            + name
            + "() must be "
            + wanted
            + ", not "
            + DTypes.text(given));
  }

  private Operand kernelAddress(String name, CType type, Node.Call c) {
    return new Operand.Value(type, one(name, c));
  }

  private Operand userAddress(String name, CType type, Node.Call c) {
    return new Operand.Value(type, new Expr.UserAddress(one(name, c)));
  }

  /** Linux's dev_t inside the kernel: 12 bits of major above 20 of minor (linux/kdev_t.h). */
  private Operand device(Node.Call c, boolean major) {
    var code = one(major ? "getmajor" : "getminor", c);
    return new Operand.Value(
        DTypes.UINT,
        major
            ? Codes.binary(
                BinaryOp.SHIFT_RIGHT_UNSIGNED, Codes.extend(code, 32, false), new Expr.Int(20))
            : Codes.binary(BinaryOp.AND, code, new Expr.Int(0xfffff)));
  }

  /** The address of a {@code struct tag} that is the only argument. */
  private Expr address(String name, Node.Call c, String what) {
    if (c.arguments().size() != 1) {
      throw length(name, "1 argument", c);
    }
    var node = c.arguments().getFirst();
    var v = lowering.value(node);
    if (!DTypes.isScalar(v.type())) {
      throw argument(name, 1, "the address of a " + what, v.type(), node.span());
    }
    return v.code();
  }

  /** The word at a member of the structure at {@code address}. */
  private Expr word(String name, CType type, String path, int bytes, Expr address, Span at) {
    if (!(type.resolved() instanceof CompositeType)) {
      throw noLayout(name, at);
    }
    var found =
        lowering
            .environment()
            .program()
            .flatMap(p -> p.types().member(type, path))
            .orElseThrow(() -> noLayout(name, at));
    return new Expr.Load(
        Space.KERNEL,
        bytes,
        false,
        Codes.binary(BinaryOp.ADD, address, new Expr.Int(found.byteOffset())));
  }

  private RuntimeException noLayout(String name, Span at) {
    return lowering.error(
        at, Tag.D_TYPE_ERR, name + "(): the layout of that lock in this kernel is not known");
  }

  private CType kernelType(TypeName name, String function, Span at) {
    return lowering
        .environment()
        .program()
        .flatMap(p -> p.types().find(name))
        .orElseThrow(() -> noLayout(function, at));
  }

  /**
   * {@code struct mutex.owner}: the owner's task_struct with flags in the 3 low bits (since 4.10).
   */
  private Operand mutex(String name, Node.Call c) {
    var lock = address(name, c, "mutex");
    var type = kernelType(TypeName.struct("mutex"), name, c.span());
    var owner =
        Codes.binary(
            BinaryOp.AND, word(name, type, "owner.counter", 8, lock, c.span()), new Expr.Int(~7L));
    return name.equals("mutex_owner")
        ? new Operand.Value(lowering.curthreadType(), owner)
        : new Operand.Value(DTypes.INT, Codes.binary(BinaryOp.NOT_EQUAL, owner, new Expr.Int(0)));
  }

  /** Queued rwlocks (since 4.2): the low 8 bits are 0xff while written, readers from bit 9 on. */
  private Operand rwlock(String name, Node.Call c) {
    var lock = address(name, c, "rwlock_t");
    var type = kernelType(TypeName.plain("rwlock_t"), name, c.span());
    var count = word(name, type, "raw_lock.cnts.counter", 4, lock, c.span());
    var code =
        name.equals("rw_read_held")
            ? Codes.binary(
                BinaryOp.NOT_EQUAL,
                Codes.binary(BinaryOp.SHIFT_RIGHT_UNSIGNED, count, new Expr.Int(9)),
                new Expr.Int(0))
            : Codes.binary(
                BinaryOp.EQUAL,
                Codes.binary(BinaryOp.AND, count, new Expr.Int(0xff)),
                new Expr.Int(0xff));
    return new Operand.Value(DTypes.INT, code);
  }

  Operand subroutine(Subroutine s, Node.Call c) {
    var arguments = c.arguments();
    if (s == Subroutine.STRTOK) {
      return strtok(c);
    }
    if (s == Subroutine.INET_NTOA6 && arguments.size() == 2) {
      arguments = arguments.subList(0, 1);
    }
    int most = s.parameters().size();
    int least = LEAST.getOrDefault(s, most);
    if (arguments.size() < least || arguments.size() > most) {
      throw length(
          s.text(),
          least == most
              ? most + (most == 1 ? " argument" : " arguments")
              : least + " to " + most + " arguments",
          c);
    }
    var codes = new ArrayList<Expr>();
    for (int i = 0; i < arguments.size(); i++) {
      codes.add(argument(s, i, arguments.get(i)));
    }
    for (int i = arguments.size(); i < most; i++) {
      codes.add(missing(s));
    }
    if (s == Subroutine.ALLOCA) {
      checkAlloca(codes.getFirst(), c.span());
    }
    if (s == Subroutine.STRLEN && codes.getFirst() instanceof Expr.Text t) {
      return new Operand.Value(DTypes.ULONG, new Expr.Int(t.bytes().length()));
    }
    return new Operand.Value(result(s), new Expr.Call(s, codes));
  }

  private Expr missing(Subroutine s) {
    return switch (s) {
      case COPYINSTR -> new Expr.Int(lowering.limits().strsize());
      case INDEX -> new Expr.Int(0);
      case LLTOSTR, STRTOLL -> new Expr.Int(10);
      default -> new Expr.Int(Long.MAX_VALUE);
    };
  }

  private void checkAlloca(Expr size, Span at) {
    if (size instanceof Expr.Int i
        && Long.compareUnsigned(i.value(), lowering.limits().scratchsize()) > 0) {
      throw lowering.error(
          at,
          Tag.D_ALLOCA_SIZE,
          "alloca("
              + Long.toUnsignedString(i.value())
              + ") is more than the "
              + lowering.limits().scratchsize()
              + " bytes of option scratchsize");
    }
  }

  private Expr argument(Subroutine s, int index, Node node) {
    if (s.parameters().get(index).equals(IrType.STRING)) {
      return lowering.string(
          node, Tag.D_PROTO_ARG, "argument " + (index + 1) + " of " + s.text() + "()");
    }
    var v = lowering.value(node);
    if (!DTypes.isScalar(v.type())) {
      throw argument(s.text(), index + 1, "a number or a pointer", v.type(), node.span());
    }
    if (takesPointer(s, index) && !DTypes.isPointer(v.type())) {
      throw argument(s.text(), index + 1, "a pointer", v.type(), node.span());
    }
    return v.code();
  }

  /** Arguments that D's prototypes declare as pointers. */
  private static boolean takesPointer(Subroutine s, int index) {
    return switch (s) {
      case BCOPY -> index < 2;
      case COPYINTO -> index == 2;
      case COPYOUT, INET_NTOA, INET_NTOA6, D_PATH -> index == 0;
      case INET_NTOP, LINK_NTOP -> index == 1;
      default -> false;
    };
  }

  private Operand strtok(Node.Call c) {
    if (c.arguments().size() != 2) {
      throw length("strtok", "2 arguments", c);
    }
    var delimiters =
        lowering.string(c.arguments().get(1), Tag.D_PROTO_ARG, "argument 2 of strtok()");
    var first = c.arguments().getFirst();
    var o = lowering.operand(first);
    if (o instanceof Operand.Value v && v.code() instanceof Expr.Int i && i.value() == 0) {
      return new Operand.Value(
          DTypes.STRING, new Expr.Call(Subroutine.STRTOK_NEXT, List.of(delimiters)));
    }
    return new Operand.Value(
        DTypes.STRING,
        new Expr.Call(
            Subroutine.STRTOK,
            List.of(
                lowering.string(first, Tag.D_PROTO_ARG, "argument 1 of strtok()"), delimiters)));
  }

  private CType result(Subroutine s) {
    if (s.result().equals(IrType.STRING)) {
      return DTypes.STRING;
    }
    return switch (s) {
      case ALLOCA, COPYIN -> new PointerType(8, () -> VoidType.VOID);
      case BCOPY, COPYINTO, COPYOUT, COPYOUTSTR -> VoidType.VOID;
      case STRLEN, HTONLL, NTOHLL -> DTypes.ULONG;
      case HTONL, NTOHL -> DTypes.UINT;
      case HTONS, NTOHS -> DTypes.named("unsigned short").orElseThrow();
      case STRTOLL -> DTypes.LONG;
      default -> DTypes.INT;
    };
  }
}
