// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.Span;
import dev.fathom.dtrace.ir.Expr.BinaryOp;
import dev.fathom.dtrace.ir.IrType;
import dev.fathom.dtrace.ir.Space;
import dev.fathom.dtrace.ir.Subroutine;
import dev.fathom.dtrace.syntax.Node;
import dev.fathom.dtrace.syntax.Tag;
import dev.fathom.model.arch.aarch64.Aarch64;
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

  private final Typer typer;

  Functions(Typer typer) {
    this.typer = typer;
  }

  /** Functions that are no subroutines of the intermediate form. */
  Optional<Typed> special(String name, Node.Call c) {
    return switch (name) {
      case "stack" -> Optional.of(stack(c));
      case "ustack", "jstack" -> Optional.of(ustack(name, c));
      case "sym", "func" -> Optional.of(kernelAddress(name, DTypes.SYMADDR, c));
      case "mod" -> Optional.of(kernelAddress(name, DTypes.MODADDR, c));
      case "usym", "ufunc" -> Optional.of(userAddress(name, DTypes.USYMADDR, c));
      case "umod" -> Optional.of(userAddress(name, DTypes.UMODADDR, c));
      case "uaddr" -> Optional.of(userAddress(name, DTypes.UADDR, c));
      case "strip" -> Optional.of(strip(c));
      case "getmajor" -> Optional.of(device(c, true));
      case "getminor" -> Optional.of(device(c, false));
      case "mutex_owned", "mutex_owner" -> Optional.of(mutex(name, c));
      case "mutex_type_adaptive", "mutex_type_spin" -> {
        // Every mutex of Linux spins while its owner runs and sleeps otherwise.
        address(name, c, "mutex");
        yield Optional.of(new Typed.Int(DTypes.INT, name.equals("mutex_type_adaptive") ? 1 : 0));
      }
      case "rw_iswriter", "rw_write_held", "rw_read_held" -> Optional.of(rwlock(name, c));
      default -> Optional.empty();
    };
  }

  /** A number of frames that is a constant. */
  private int frames(String name, Node node, Tag tag) {
    var n = typer.constant(node);
    if (n.isEmpty() || n.getAsLong() <= 0 || n.getAsLong() > MOST_FRAMES) {
      throw typer.error(
          node.span(),
          tag,
          "the number of frames of " + name + "() must be a constant from 1 to " + MOST_FRAMES);
    }
    return (int) n.getAsLong();
  }

  private Typed stack(Node.Call c) {
    if (c.arguments().size() > 1) {
      throw typer.error(c.span(), Tag.D_STACK_PROTO, "stack() takes at most the number of frames");
    }
    int frames =
        c.arguments().isEmpty()
            ? typer.limits().stackframes()
            : frames("stack", c.arguments().getFirst(), Tag.D_STACK_SIZE);
    return new Typed.KernelStack(frames);
  }

  private Typed ustack(String name, Node.Call c) {
    if (c.arguments().size() > 2) {
      throw typer.error(
          c.span(),
          Tag.D_USTACK_PROTO,
          name + "() takes at most the number of frames and a string size");
    }
    int frames =
        c.arguments().isEmpty()
            ? typer.limits().ustackframes()
            : frames(name, c.arguments().getFirst(), Tag.D_USTACK_FRAMES);
    if (c.arguments().size() == 2 && typer.constant(c.arguments().get(1)).orElse(-1) < 0) {
      throw typer.error(
          c.arguments().get(1).span(),
          Tag.D_USTACK_STRSIZE,
          "the string size of " + name + "() must be a constant that is not negative");
    }
    return new Typed.UserStack(frames);
  }

  private Typed one(String name, Node.Call c) {
    if (c.arguments().size() != 1) {
      throw length(name, "1 argument", c);
    }
    var v = typer.value(c.arguments().getFirst());
    if (!DTypes.isScalar(v.type())) {
      throw argument(name, 1, "a number or a pointer", v.type(), c.arguments().getFirst().span());
    }
    return v;
  }

  private RuntimeException length(String name, String wanted, Node.Call c) {
    return typer.error(
        c.span(),
        Tag.D_PROTO_LEN,
        name + "() takes " + wanted + ", " + c.arguments().size() + " given");
  }

  private RuntimeException argument(String name, int number, String wanted, CType given, Span at) {
    return typer.error(
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

  private Typed kernelAddress(String name, CType type, Node.Call c) {
    return Typed.retyped(one(name, c), type);
  }

  private Typed userAddress(String name, CType type, Node.Call c) {
    return new Typed.UserAddress(type, one(name, c));
  }

  /** Linux's dev_t inside the kernel: 12 bits of major above 20 of minor (linux/kdev_t.h). */
  private Typed device(Node.Call c, boolean major) {
    var device = one(major ? "getmajor" : "getminor", c);
    return major
        ? Typed.binary(
            DTypes.UINT,
            BinaryOp.SHIFT_RIGHT_UNSIGNED,
            Typed.narrow(device, DTypes.UINT),
            number(20))
        : Typed.binary(DTypes.UINT, BinaryOp.AND, device, number(0xfffff));
  }

  /** Only 64-bit Arm signs addresses; kernels of it have addresses of 48 bits there. */
  private Typed strip(Node.Call c) {
    var v = one("strip", c);
    boolean signed =
        typer.environment().program().map(p -> p.architecture()).orElse(null) == Aarch64.INSTANCE;
    var stripped =
        new Typed.Call(
            DTypes.ULONG, Subroutine.STRIP, List.of(v, number(signed ? 48 : 64)), c.span());
    return DTypes.isPointer(v.type()) ? Typed.retyped(stripped, v.type()) : stripped;
  }

  private static Typed number(long value) {
    return new Typed.Int(DTypes.LONG, value);
  }

  /** The address of a {@code struct tag} that is the only argument. */
  private Typed address(String name, Node.Call c, String what) {
    if (c.arguments().size() != 1) {
      throw length(name, "1 argument", c);
    }
    var node = c.arguments().getFirst();
    var v = typer.value(node);
    if (!DTypes.isScalar(v.type())) {
      throw argument(name, 1, "the address of a " + what, v.type(), node.span());
    }
    return v;
  }

  /** The word at a member of the structure at {@code address}. */
  private Typed word(String name, CType type, String path, int bytes, Typed address, Span at) {
    if (!(type.resolved() instanceof CompositeType)) {
      throw noLayout(name, at);
    }
    var found =
        typer
            .environment()
            .program()
            .flatMap(p -> p.types().member(type, path))
            .orElseThrow(() -> noLayout(name, at));
    return new Typed.Memory(
        DTypes.sized(bytes, false),
        Typed.binary(DTypes.ULONG, BinaryOp.ADD, address, number(found.byteOffset())),
        Space.KERNEL);
  }

  private RuntimeException noLayout(String name, Span at) {
    return typer.error(
        at, Tag.D_TYPE_ERR, name + "(): the layout of that lock in this kernel is not known");
  }

  private CType kernelStruct(String tag) {
    return typer
        .environment()
        .program()
        .flatMap(p -> p.types().find(TypeName.struct(tag)))
        .orElse(VoidType.VOID);
  }

  private CType kernelType(TypeName name, String function, Span at) {
    return typer
        .environment()
        .program()
        .flatMap(p -> p.types().find(name))
        .orElseThrow(() -> noLayout(function, at));
  }

  /**
   * {@code struct mutex.owner}: the owner's task_struct with flags in the 3 low bits (since 4.10).
   */
  private Typed mutex(String name, Node.Call c) {
    var lock = address(name, c, "mutex");
    var type = kernelType(TypeName.struct("mutex"), name, c.span());
    var owner =
        Typed.binary(
            DTypes.ULONG,
            BinaryOp.AND,
            word(name, type, "owner.counter", 8, lock, c.span()),
            number(~7L));
    return name.equals("mutex_owner")
        ? Typed.retyped(owner, typer.threadPointer())
        : Typed.binary(DTypes.INT, BinaryOp.NOT_EQUAL, owner, number(0));
  }

  /** Queued rwlocks (since 4.2): the low 8 bits are 0xff while written, readers from bit 9 on. */
  private Typed rwlock(String name, Node.Call c) {
    var lock = address(name, c, "rwlock_t");
    var type = kernelType(TypeName.plain("rwlock_t"), name, c.span());
    var count = word(name, type, "raw_lock.cnts.counter", 4, lock, c.span());
    return name.equals("rw_read_held")
        ? Typed.binary(
            DTypes.INT,
            BinaryOp.NOT_EQUAL,
            Typed.binary(DTypes.UINT, BinaryOp.SHIFT_RIGHT_UNSIGNED, count, number(9)),
            number(0))
        : Typed.binary(
            DTypes.INT,
            BinaryOp.EQUAL,
            Typed.binary(DTypes.UINT, BinaryOp.AND, count, number(0xff)),
            number(0xff));
  }

  Typed subroutine(Subroutine s, Node.Call c) {
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
    var values = new ArrayList<Typed>();
    for (int i = 0; i < arguments.size(); i++) {
      values.add(argument(s, i, arguments.get(i)));
    }
    for (int i = arguments.size(); i < most; i++) {
      values.add(missing(s));
    }
    if (s == Subroutine.ALLOCA) {
      checkAlloca(values.getFirst(), c.span());
    }
    if (s == Subroutine.STRLEN && values.getFirst() instanceof Typed.Text t) {
      return new Typed.Int(DTypes.ULONG, t.bytes().length());
    }
    return new Typed.Call(result(s), s, values, c.span());
  }

  private Typed missing(Subroutine s) {
    return switch (s) {
      case COPYINSTR -> number(typer.limits().strsize());
      case INDEX -> number(0);
      case LLTOSTR, STRTOLL -> number(10);
      default -> number(Long.MAX_VALUE);
    };
  }

  private void checkAlloca(Typed size, Span at) {
    if (size instanceof Typed.Int i
        && Long.compareUnsigned(i.value(), typer.limits().scratchsize()) > 0) {
      throw typer.error(
          at,
          Tag.D_ALLOCA_SIZE,
          "alloca("
              + Long.toUnsignedString(i.value())
              + ") is more than the "
              + typer.limits().scratchsize()
              + " bytes of option scratchsize");
    }
  }

  private Typed argument(Subroutine s, int index, Node node) {
    if (s.parameters().get(index).equals(IrType.STRING)) {
      return typer.string(
          node, Tag.D_PROTO_ARG, "argument " + (index + 1) + " of " + s.text() + "()");
    }
    var given = typer.value(node);
    var v =
        takesPointer(s, index)
            ? typer.operators().decayed(given, typer.types().pointerTo(VoidType.VOID)).orElse(given)
            : given;
    if (!DTypes.isScalar(v.type())) {
      throw argument(s.text(), index + 1, "a number or a pointer", v.type(), node.span());
    }
    if (takesPointer(s, index) && !DTypes.isPointer(v.type())) {
      throw argument(s.text(), index + 1, "a pointer", v.type(), node.span());
    }
    return v;
  }

  /** Arguments that D's prototypes declare as pointers. */
  private static boolean takesPointer(Subroutine s, int index) {
    return switch (s) {
      case BCOPY -> index < 2;
      case COPYINTO -> index == 2;
      case COPYOUT, INET_NTOA, INET_NTOA6, D_PATH, MEMREF, MEMSTR, UUIDSTR -> index == 0;
      case INET_NTOP, LINK_NTOP -> index == 1;
      default -> false;
    };
  }

  private Typed strtok(Node.Call c) {
    if (c.arguments().size() != 2) {
      throw length("strtok", "2 arguments", c);
    }
    var delimiters = typer.string(c.arguments().get(1), Tag.D_PROTO_ARG, "argument 2 of strtok()");
    var first = c.arguments().getFirst();
    var o = typer.operand(first);
    if (Typed.isZero(o)) {
      return new Typed.Call(DTypes.STRING, Subroutine.STRTOK_NEXT, List.of(delimiters), c.span());
    }
    return new Typed.Call(
        DTypes.STRING,
        Subroutine.STRTOK,
        List.of(
            typer.string(o, first.span(), Tag.D_PROTO_ARG, "argument 1 of strtok()"), delimiters),
        c.span());
  }

  private CType result(Subroutine s) {
    if (s.result().equals(IrType.STRING)) {
      return DTypes.STRING;
    }
    return switch (s) {
      case ALLOCA, COPYIN -> new PointerType(8, () -> VoidType.VOID);
      case GETF -> typer.types().pointerTo(kernelStruct("file"));
      case MEMREF -> new PointerType(8, () -> DTypes.ULONG);
      case BCOPY, COPYINTO, COPYOUT, COPYOUTSTR -> VoidType.VOID;
      case STRLEN, HTONLL, NTOHLL -> DTypes.ULONG;
      case FILE_NUMBER, PAGE_OFFSET -> DTypes.LONG;
      case HTONL, NTOHL -> DTypes.UINT;
      case HTONS, NTOHS -> DTypes.named("unsigned short").orElseThrow();
      case STRTOLL -> DTypes.LONG;
      default -> DTypes.INT;
    };
  }
}
