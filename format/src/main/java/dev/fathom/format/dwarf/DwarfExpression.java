// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteCursor;
import dev.fathom.base.ByteSource;
import dev.fathom.base.EvalException;
import dev.fathom.base.FaultException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A DWARF expression or simple location description (DWARF 5, sections 2.5 and 2.6; the GNU
 * operations as GCC's include/dwarf2.def has them): a stretch of bytes in a section. Evaluation is
 * bounded in operations, stack and calls.
 */
public final class DwarfExpression {
  /** More operations than any compiler's expression carries out. */
  private static final int MAX_STEPS = 100_000;

  private static final int MAX_STACK = 512;
  private static final int MAX_CALLS = 16;
  private static final int MAX_PIECES = 4096;

  /** The largest value kept in an expression itself. */
  private static final int MAX_IMPLICIT = 1 << 16;

  private final ByteSource section;
  private final long start;
  private final long end;
  private final Encoding encoding;

  /**
   * The expression in the bytes {@code [start, start + length)} of {@code section}.
   *
   * @throws BadDataException when they are not in it
   */
  public DwarfExpression(ByteSource section, long start, long length, Encoding encoding) {
    section.check(start, length);
    this.section = section;
    this.start = start;
    this.end = start + length;
    this.encoding = encoding;
  }

  public boolean isEmpty() {
    return start == end;
  }

  public Encoding encoding() {
    return encoding;
  }

  /** The number of bytes. */
  public long length() {
    return end - start;
  }

  /** The bytes themselves. */
  public byte[] bytes() {
    return section.bytes(start, (int) (end - start));
  }

  /** The register, when the whole expression only names one. */
  public OptionalInt soleRegister() {
    if (isEmpty()) {
      return OptionalInt.empty();
    }
    var in = section.cursor(start, encoding.order());
    int op = in.u8();
    if (op >= DwOp.REG0 && op <= DwOp.REG31 && in.offset() == end) {
      return OptionalInt.of(op - DwOp.REG0);
    }
    if (op == DwOp.REGX) {
      int number = registerNumber(in);
      return in.offset() == end ? OptionalInt.of(number) : OptionalInt.empty();
    }
    return OptionalInt.empty();
  }

  /** The address, when the whole expression is one, as for a variable that is not local. */
  public OptionalLong soleAddress() {
    if (length() != 1L + encoding.addressSize()) {
      return OptionalLong.empty();
    }
    var in = section.cursor(start, encoding.order());
    return in.u8() == DwOp.ADDR
        ? OptionalLong.of(number(in, encoding.addressSize()))
        : OptionalLong.empty();
  }

  /**
   * Evaluates it as a location description: a number left on the stack is an address in memory.
   *
   * @throws BadDataException when it is malformed; what it cannot be told for lack of registers or
   *     memory is a {@link Location.Unavailable}
   */
  public Location locate(ExpressionContext context) {
    try {
      return new Machine(context).locate();
    } catch (EvalException | FaultException e) {
      return new Location.Unavailable(e.getMessage());
    }
  }

  /**
   * Evaluates it to the number on top of the stack.
   *
   * @param initial what is on the stack before it starts
   * @throws BadDataException when it is malformed
   * @throws EvalException when something that it needs is not known
   * @throws FaultException when memory that it needs cannot be read
   */
  public long evaluate(ExpressionContext context, long... initial) {
    var machine = new Machine(context);
    for (long value : initial) {
      machine.push(value);
    }
    machine.run(this, 0);
    if (machine.location.isPresent()) {
      return switch (machine.location.get()) {
        case Location.InRegister(int number) -> context.register(number);
        case Location.StackValue(long bits, _) -> bits;
        case Location.Memory _,
            Location.Implicit _,
            Location.ImplicitPointer _,
            Location.Composite _,
            Location.OptimisedOut _,
            Location.Unavailable _ ->
            throw bad(start, "expression of a number describes a location");
      };
    }
    return machine.pop(end);
  }

  private BadDataException bad(long at, String what) {
    return new BadDataException(section.name(), at, what);
  }

  private static long number(ByteCursor in, int size) {
    return DwarfNumbers.unsigned(in, size);
  }

  private static int registerNumber(ByteCursor in) {
    long at = in.offset();
    long number = in.uleb();
    if (number < 0 || number > 0xffff) {
      throw in.bad(at, "register number " + Long.toUnsignedString(number) + " is above 65535");
    }
    return (int) number;
  }

  /** The state of one evaluation; bits of a typed entry are as its type extends them. */
  private final class Machine {
    private final ExpressionContext context;
    private final BaseType generic = new BaseType(encoding.addressSize(), BaseType.Kind.GENERIC);
    private final long[] values = new long[MAX_STACK];
    private final BaseType[] types = new BaseType[MAX_STACK];
    private final List<Location.Piece> pieces = new ArrayList<>();
    private int depth;
    private int steps;

    /** Where the object is when the last operations said more than an address. */
    private Optional<Location> location = Optional.empty();

    Machine(ExpressionContext context) {
      this.context = context;
    }

    Location locate() {
      run(DwarfExpression.this, 0);
      if (!pieces.isEmpty()) {
        return new Location.Composite(pieces);
      }
      return simple();
    }

    /** The location that the last operations described. */
    private Location simple() {
      Location found;
      if (location.isPresent()) {
        found = location.get();
      } else if (depth == 0) {
        found = new Location.OptimisedOut();
      } else {
        depth--;
        found = new Location.Memory(values[depth]);
      }
      location = Optional.empty();
      return found;
    }

    void push(long bits) {
      push(bits, generic);
    }

    private void push(long bits, BaseType type) {
      if (depth == MAX_STACK) {
        throw bad(start, "expression needs more than " + MAX_STACK + " stack entries");
      }
      values[depth] = type.fit(bits);
      types[depth] = type;
      depth++;
    }

    private int top(long at, int needed) {
      if (depth < needed) {
        throw bad(at, "operation needs " + needed + " stack entries, there are " + depth);
      }
      return depth - 1;
    }

    long pop(long at) {
      top(at, 1);
      return values[--depth];
    }

    void run(DwarfExpression code, int calls) {
      if (calls > MAX_CALLS) {
        throw code.bad(code.start, "expressions call each other more than " + MAX_CALLS + " deep");
      }
      var in = code.section.cursor(code.start, code.encoding.order());
      while (in.offset() < code.end) {
        long at = in.offset();
        if (++steps > MAX_STEPS) {
          throw code.bad(at, "expression runs for more than " + MAX_STEPS + " operations");
        }
        int op = in.u8();
        if (location.isPresent()
            && op != DwOp.PIECE
            && op != DwOp.BIT_PIECE
            && op != DwOp.NOP
            && op != DwOp.GNU_UNINIT) {
          throw code.bad(at, "operation 0x" + Integer.toHexString(op) + " after a location");
        }
        step(code, in, at, op, calls);
        if (in.offset() > code.end) {
          throw code.bad(at, "operation reaches past the end of its expression");
        }
      }
    }

    private void step(DwarfExpression code, ByteCursor in, long at, int op, int calls) {
      if (op >= DwOp.LIT0 && op <= DwOp.LIT31) {
        push(op - DwOp.LIT0);
        return;
      }
      if (op >= DwOp.REG0 && op <= DwOp.REG31) {
        location = Optional.of(new Location.InRegister(op - DwOp.REG0));
        return;
      }
      if (op >= DwOp.BREG0 && op <= DwOp.BREG31) {
        push(context.register(op - DwOp.BREG0) + in.sleb());
        return;
      }
      switch (op) {
        case DwOp.ADDR -> push(context.loaded(number(in, code.encoding.addressSize())));
        case DwOp.CONST1U -> push(in.u8());
        case DwOp.CONST1S -> push((byte) in.u8());
        case DwOp.CONST2U -> push(in.u16());
        case DwOp.CONST2S -> push((short) in.u16());
        case DwOp.CONST4U -> push(in.u32());
        case DwOp.CONST4S -> push(in.i32());
        case DwOp.CONST8U, DwOp.CONST8S -> push(in.u64());
        case DwOp.CONSTU -> push(in.uleb());
        case DwOp.CONSTS -> push(in.sleb());
        case DwOp.ADDRX, DwOp.GNU_ADDR_INDEX -> push(context.address(in.uleb()));
        case DwOp.CONSTX, DwOp.GNU_CONST_INDEX -> push(context.constant(in.uleb()));
        case DwOp.FBREG -> push(context.frameBase() + in.sleb());
        case DwOp.BREGX -> {
          int register = registerNumber(in);
          push(context.register(register) + in.sleb());
        }
        case DwOp.REGX -> location = Optional.of(new Location.InRegister(registerNumber(in)));
        case DwOp.DUP -> pick(at, 0);
        case DwOp.OVER -> pick(at, 1);
        case DwOp.PICK -> pick(at, in.u8());
        case DwOp.DROP -> pop(at);
        case DwOp.SWAP -> swap(top(at, 2), depth - 2);
        case DwOp.ROT -> {
          swap(top(at, 3), depth - 2);
          swap(depth - 2, depth - 3);
        }
        case DwOp.DEREF -> push(context.read(pop(at), code.encoding.addressSize()));
        case DwOp.DEREF_SIZE -> {
          int size = size(in, code.encoding.addressSize());
          push(context.read(pop(at), size));
        }
        case DwOp.DEREF_TYPE, DwOp.GNU_DEREF_TYPE -> {
          int size = size(in, 8);
          var type = typeOf(in);
          push(context.read(pop(at), Math.min(size, type.bytes())), type);
        }
        case DwOp.XDEREF, DwOp.XDEREF_SIZE, DwOp.XDEREF_TYPE ->
            throw new EvalException("it is in another address space");
        case DwOp.PUSH_OBJECT_ADDRESS -> push(context.object());
        case DwOp.CALL_FRAME_CFA -> push(context.cfa());
        case DwOp.FORM_TLS_ADDRESS, DwOp.GNU_PUSH_TLS_ADDRESS -> push(context.threadLocal(pop(at)));
        case DwOp.ABS, DwOp.NEG, DwOp.NOT -> unary(at, op);
        case DwOp.PLUS_UCONST -> {
          int top = top(at, 1);
          integral(at, types[top]);
          values[top] = types[top].fit(values[top] + in.uleb());
        }
        case DwOp.AND, DwOp.DIV, DwOp.MINUS, DwOp.MOD, DwOp.MUL, DwOp.OR, DwOp.PLUS, DwOp.XOR ->
            binary(at, op);
        case DwOp.SHL, DwOp.SHR, DwOp.SHRA -> shift(at, op);
        case DwOp.EQ, DwOp.GE, DwOp.GT, DwOp.LE, DwOp.LT, DwOp.NE -> compare(at, op);
        case DwOp.SKIP -> jump(code, in, at, (short) in.u16());
        case DwOp.BRA -> {
          short distance = (short) in.u16();
          if (pop(at) != 0) {
            jump(code, in, at, distance);
          }
        }
        case DwOp.CALL2 -> run(context.called(in.u16(), true), calls + 1);
        case DwOp.CALL4 -> run(context.called(in.u32(), true), calls + 1);
        case DwOp.CALL_REF -> run(context.called(reference(code, in), false), calls + 1);
        case DwOp.NOP, DwOp.GNU_UNINIT -> {}
        case DwOp.CONVERT, DwOp.GNU_CONVERT -> {
          var to = typeOf(in);
          int top = top(at, 1);
          values[top] = converted(values[top], types[top], to);
          types[top] = to;
        }
        case DwOp.REINTERPRET, DwOp.GNU_REINTERPRET -> {
          var to = typeOf(in);
          int top = top(at, 1);
          values[top] = to.fit(values[top]);
          types[top] = to;
        }
        case DwOp.CONST_TYPE, DwOp.GNU_CONST_TYPE -> {
          var type = typeOf(in);
          int size = in.u8();
          if (size != type.bytes()) {
            throw code.bad(at, "constant of " + size + " bytes of a type of " + type.bytes());
          }
          push(number(in, size), type);
        }
        case DwOp.REGVAL_TYPE, DwOp.GNU_REGVAL_TYPE -> {
          int register = registerNumber(in);
          var type = typeOf(in);
          push(context.register(register), type);
        }
        case DwOp.ENTRY_VALUE, DwOp.GNU_ENTRY_VALUE -> {
          long length = in.uleb();
          long from = in.offset();
          if (length < 0 || length > code.end - from) {
            throw code.bad(at, "entry value of " + length + " bytes reaches past its expression");
          }
          in.skip(length);
          push(context.entryValue(new DwarfExpression(code.section, from, length, code.encoding)));
        }
        case DwOp.GNU_PARAMETER_REF -> push(context.parameter(in.u32()));
        case DwOp.GNU_VARIABLE_VALUE -> push(context.variable(reference(code, in)));
        case DwOp.IMPLICIT_VALUE -> {
          long length = in.uleb();
          if (length < 0 || length > MAX_IMPLICIT || length > code.end - in.offset()) {
            throw code.bad(at, "implicit value of " + length + " bytes does not fit");
          }
          location = Optional.of(new Location.Implicit(in.bytes((int) length)));
        }
        case DwOp.STACK_VALUE -> {
          int top = top(at, 1);
          location = Optional.of(new Location.StackValue(values[top], types[top]));
          depth--;
        }
        case DwOp.IMPLICIT_POINTER, DwOp.GNU_IMPLICIT_POINTER -> {
          long die = reference(code, in);
          location = Optional.of(new Location.ImplicitPointer(die, in.sleb()));
        }
        case DwOp.PIECE -> {
          long bytes = in.uleb();
          if (bytes < 0 || bytes > Long.MAX_VALUE / 8) {
            throw code.bad(at, "piece of " + Long.toUnsignedString(bytes) + " bytes");
          }
          piece(code, at, bytes * 8, 0);
        }
        case DwOp.BIT_PIECE -> {
          long bits = in.uleb();
          piece(code, at, bits, in.uleb());
        }
        default -> throw code.bad(at, "unknown operation 0x" + Integer.toHexString(op));
      }
    }

    private void piece(DwarfExpression code, long at, long bits, long bitOffset) {
      if (bits < 0 || bitOffset < 0 || pieces.size() >= MAX_PIECES) {
        throw code.bad(at, "more than " + MAX_PIECES + " pieces, or one without end");
      }
      pieces.add(new Location.Piece(simple(), bits, bitOffset));
    }

    private long reference(DwarfExpression code, ByteCursor in) {
      // In version 2 a reference has an address's size (DWARF 2, section 7.5.4).
      var d = code.encoding;
      return number(in, d.version() <= 2 ? d.addressSize() : d.offsetSize());
    }

    private int size(ByteCursor in, int most) {
      long at = in.offset();
      int size = in.u8();
      if (size < 1 || size > Math.max(most, 8)) {
        throw in.bad(at, "size of " + size + " bytes, expected 1 to " + most);
      }
      return size;
    }

    private BaseType typeOf(ByteCursor in) {
      long die = in.uleb();
      return die == 0 ? generic : context.baseType(die);
    }

    private void jump(DwarfExpression code, ByteCursor in, long at, short distance) {
      long to = in.offset() + distance;
      if (to < code.start || to > code.end) {
        throw code.bad(at, "branch to 0x" + Long.toHexString(to) + " leaves the expression");
      }
      in.seek(to);
    }

    private void pick(long at, int index) {
      int from = top(at, index + 1) - index;
      push(values[from], types[from]);
    }

    private void swap(int a, int b) {
      long value = values[a];
      var type = types[a];
      values[a] = values[b];
      types[a] = types[b];
      values[b] = value;
      types[b] = type;
    }

    private void integral(long at, BaseType type) {
      if (type.kind() == BaseType.Kind.FLOAT) {
        throw bad(at, "operation on integers gets a floating-point number");
      }
    }

    private double real(long bits, BaseType type) {
      return switch (type.bytes()) {
        case 4 -> Float.intBitsToFloat((int) bits);
        case 8 -> Double.longBitsToDouble(bits);
        default ->
            throw new EvalException(
                "floating-point numbers of " + type.bytes() + " bytes are not supported");
      };
    }

    private long bits(double number, BaseType type) {
      return switch (type.bytes()) {
        case 4 -> Integer.toUnsignedLong(Float.floatToRawIntBits((float) number));
        case 8 -> Double.doubleToRawLongBits(number);
        default ->
            throw new EvalException(
                "floating-point numbers of " + type.bytes() + " bytes are not supported");
      };
    }

    private long converted(long value, BaseType from, BaseType to) {
      boolean fromReal = from.kind() == BaseType.Kind.FLOAT;
      if (to.kind() == BaseType.Kind.FLOAT) {
        double number =
            fromReal
                ? real(value, from)
                : from.kind() == BaseType.Kind.SIGNED ? value : unsigned(value);
        return bits(number, to);
      }
      return to.fit(fromReal ? (long) real(value, from) : value);
    }

    private static double unsigned(long value) {
      return value >= 0 ? value : (value >>> 1 | (value & 1)) * 2.0;
    }

    private void unary(long at, int op) {
      int top = top(at, 1);
      var type = types[top];
      long value = values[top];
      if (type.kind() == BaseType.Kind.FLOAT) {
        double number = real(value, type);
        values[top] =
            switch (op) {
              case DwOp.ABS -> bits(Math.abs(number), type);
              case DwOp.NEG -> bits(-number, type);
              default -> throw bad(at, "bits of a floating-point number are inverted");
            };
        return;
      }
      long signed = type.signed(value);
      values[top] =
          type.fit(
              switch (op) {
                case DwOp.ABS ->
                    signed < 0 && type.kind() != BaseType.Kind.UNSIGNED ? -signed : signed;
                case DwOp.NEG -> -signed;
                default -> ~value;
              });
    }

    /** The type of the two top entries, which must be one. */
    private BaseType pair(long at) {
      int top = top(at, 2);
      if (!types[top].equals(types[top - 1])) {
        throw bad(at, "operation on entries of different types");
      }
      return types[top];
    }

    private void binary(long at, int op) {
      var type = pair(at);
      long b = values[--depth];
      long a = values[--depth];
      if (type.kind() == BaseType.Kind.FLOAT) {
        double x = real(a, type);
        double y = real(b, type);
        double result =
            switch (op) {
              case DwOp.DIV -> x / y;
              case DwOp.MINUS -> x - y;
              case DwOp.MUL -> x * y;
              case DwOp.PLUS -> x + y;
              default -> throw bad(at, "operation on integers gets floating-point numbers");
            };
        push(bits(result, type), type);
        return;
      }
      if ((op == DwOp.DIV || op == DwOp.MOD) && b == 0) {
        throw new EvalException("it is computed by a division by zero");
      }
      boolean unsigned = type.kind() == BaseType.Kind.UNSIGNED;
      long result =
          switch (op) {
            case DwOp.AND -> a & b;
            // The generic type divides signed but takes remainders unsigned (2.5.1.4).
            case DwOp.DIV -> unsigned ? Long.divideUnsigned(a, b) : type.signed(a) / type.signed(b);
            case DwOp.MOD ->
                type.kind() == BaseType.Kind.SIGNED ? a % b : Long.remainderUnsigned(a, b);
            case DwOp.MINUS -> a - b;
            case DwOp.MUL -> a * b;
            case DwOp.OR -> a | b;
            case DwOp.PLUS -> a + b;
            default -> a ^ b;
          };
      push(result, type);
    }

    private void shift(long at, int op) {
      int top = top(at, 2);
      integral(at, types[top]);
      integral(at, types[top - 1]);
      long by = values[--depth];
      var type = types[--depth];
      long value = values[depth];
      int width = type.bytes() * 8;
      int unused = 64 - width;
      boolean all = Long.compareUnsigned(by, width) >= 0;
      long plain = value << unused >>> unused;
      long signed = value << unused >> unused;
      push(
          switch (op) {
            case DwOp.SHL -> all ? 0 : value << by;
            case DwOp.SHR -> all ? 0 : plain >>> by;
            default -> signed >> (all ? 63 : by);
          },
          type);
    }

    private void compare(long at, int op) {
      var type = pair(at);
      long b = values[--depth];
      long a = values[--depth];
      int order;
      if (type.kind() == BaseType.Kind.FLOAT) {
        double x = real(a, type);
        double y = real(b, type);
        if (Double.isNaN(x) || Double.isNaN(y)) {
          push(op == DwOp.NE ? 1 : 0);
          return;
        }
        order = x < y ? -1 : x > y ? 1 : 0;
      } else {
        order =
            type.kind() == BaseType.Kind.UNSIGNED
                ? Long.compareUnsigned(a, b)
                : Long.compare(type.signed(a), type.signed(b));
      }
      boolean holds =
          switch (op) {
            case DwOp.EQ -> order == 0;
            case DwOp.GE -> order >= 0;
            case DwOp.GT -> order > 0;
            case DwOp.LE -> order <= 0;
            case DwOp.LT -> order < 0;
            default -> order != 0;
          };
      push(holds ? 1 : 0);
    }
  }
}
