// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

import java.util.List;

/**
 * What is computed at the probe. Operands are evaluated left to right. Numbers are 64 bits and
 * wrap; what D's types narrow is an explicit {@link Extend}.
 */
public sealed interface Expr {
  IrType type();

  record Int(long value) implements Expr {
    @Override
    public IrType type() {
      return IrType.INT;
    }
  }

  /** A string constant, a {@code char} per byte. */
  record Text(String bytes) implements Expr {
    @Override
    public IrType type() {
      return IrType.STRING;
    }
  }

  record Variable(Builtin builtin) implements Expr {
    @Override
    public IrType type() {
      return builtin.type();
    }
  }

  /** The probe's argument of that number, 0 to 9, as 64 bits. */
  record Argument(int index) implements Expr {
    @Override
    public IrType type() {
      return IrType.INT;
    }
  }

  /** {@code uregs[index]}, numbered as DTrace does for the architecture. */
  record Register(Expr index) implements Expr {
    @Override
    public IrType type() {
      return IrType.INT;
    }
  }

  /** The value of a D variable; one that was never set is 0 or empty. */
  record Get(int variable, List<Expr> keys, IrType type) implements Expr {
    public Get {
      keys = List.copyOf(keys);
    }
  }

  /** Sets a D variable; the value is the expression's. Setting 0 frees a dynamic variable. */
  record Set(int variable, List<Expr> keys, Expr value) implements Expr {
    public Set {
      keys = List.copyOf(keys);
    }

    @Override
    public IrType type() {
      return value.type();
    }
  }

  /** The value bound by the {@link Let} around it. */
  record Local(int slot, IrType type) implements Expr {}

  /** Evaluates {@code value} once, then {@code body}, which may use it. */
  record Let(int slot, Expr value, Expr body) implements Expr {
    @Override
    public IrType type() {
      return body.type();
    }
  }

  /** Evaluates both, yields the second. */
  record Sequence(Expr first, Expr second) implements Expr {
    @Override
    public IrType type() {
      return second.type();
    }
  }

  enum UnaryOp {
    NEGATE("-"),
    COMPLEMENT("~"),
    NOT("!");

    private final String text;

    UnaryOp(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  record Unary(UnaryOp op, Expr operand) implements Expr {
    @Override
    public IrType type() {
      return IrType.INT;
    }
  }

  /** Keeps the low {@code bits} (8, 16 or 32, or a bit-field's width) and extends them to 64. */
  record Extend(int bits, boolean signed, Expr operand) implements Expr {
    @Override
    public IrType type() {
      return IrType.INT;
    }
  }

  enum BinaryOp {
    ADD("+"),
    SUBTRACT("-"),
    MULTIPLY("*"),
    /** Signed; by zero is a fault. */
    DIVIDE("/"),
    DIVIDE_UNSIGNED("/u"),
    REMAINDER("%"),
    REMAINDER_UNSIGNED("%u"),
    AND("&"),
    OR("|"),
    XOR("^"),
    /** Counts of 64 and more are taken modulo 64. */
    SHIFT_LEFT("<<"),
    SHIFT_RIGHT(">>"),
    SHIFT_RIGHT_UNSIGNED(">>u"),
    EQUAL("=="),
    NOT_EQUAL("!="),
    LESS("<"),
    LESS_UNSIGNED("<u"),
    LESS_EQUAL("<="),
    LESS_EQUAL_UNSIGNED("<=u");

    private final String text;

    BinaryOp(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  /** Of numbers; comparisons yield 0 or 1. */
  record Binary(BinaryOp op, Expr left, Expr right) implements Expr {
    @Override
    public IrType type() {
      return IrType.INT;
    }
  }

  /**
   * Compares strings byte by byte, unsigned; {@code op} is {@code EQUAL}, {@code NOT_EQUAL}, {@code
   * LESS} or {@code LESS_EQUAL}.
   */
  record CompareStrings(BinaryOp op, Expr left, Expr right) implements Expr {
    @Override
    public IrType type() {
      return IrType.INT;
    }
  }

  /** C's {@code &&}: 0 or 1, the right side only if the left is not 0. */
  record And(Expr left, Expr right) implements Expr {
    @Override
    public IrType type() {
      return IrType.INT;
    }
  }

  /** C's {@code ||}. */
  record Or(Expr left, Expr right) implements Expr {
    @Override
    public IrType type() {
      return IrType.INT;
    }
  }

  record Conditional(Expr test, Expr yes, Expr no) implements Expr {
    @Override
    public IrType type() {
      return yes.type();
    }
  }

  /**
   * A number of 1, 2, 4 or 8 bytes in the target's byte order. A kernel address in scratch memory
   * ({@link Subroutine#ALLOCA}, {@link Subroutine#COPYIN}) reads that.
   */
  record Load(Space space, int bytes, boolean signed, Expr address) implements Expr {
    @Override
    public IrType type() {
      return IrType.INT;
    }
  }

  record LoadBlob(Space space, int bytes, Expr address) implements Expr {
    @Override
    public IrType type() {
      return new IrType.Blob(bytes);
    }
  }

  /** {@code count} bytes (at most {@code limit}), filled with zeros to {@code limit}. */
  record LoadBytes(Space space, int limit, Expr count, Expr address) implements Expr {
    @Override
    public IrType type() {
      return new IrType.Blob(limit);
    }
  }

  /** The bytes up to a NUL, {@code limit} or {@code strsize}, whichever comes first. */
  record LoadString(Space space, int limit, Expr address) implements Expr {
    @Override
    public IrType type() {
      return IrType.STRING;
    }
  }

  /** Writes a number of 1, 2, 4 or 8 bytes to scratch memory; anything else is a fault. */
  record Store(int bytes, Expr address, Expr value) implements Expr {
    @Override
    public IrType type() {
      return IrType.INT;
    }
  }

  /** A number inside a blob, at a byte offset; outside of it is a fault. */
  record Part(Expr blob, Expr offset, int bytes, boolean signed) implements Expr {
    @Override
    public IrType type() {
      return IrType.INT;
    }
  }

  /** A blob inside a blob. */
  record Slice(Expr blob, Expr offset, int bytes) implements Expr {
    @Override
    public IrType type() {
      return new IrType.Blob(bytes);
    }
  }

  /** The string inside a blob from a byte offset up to a NUL, {@code limit} or the blob's end. */
  record PartString(Expr blob, Expr offset, int limit) implements Expr {
    @Override
    public IrType type() {
      return IrType.STRING;
    }
  }

  /** A copy of {@code blob} with a number of 1, 2, 4 or 8 bytes put at a byte offset. */
  record WithPart(Expr blob, Expr offset, int bytes, Expr value) implements Expr {
    @Override
    public IrType type() {
      return blob.type();
    }
  }

  /** A copy of {@code blob} with another blob put at a byte offset. */
  record WithSlice(Expr blob, Expr offset, Expr value) implements Expr {
    @Override
    public IrType type() {
      return blob.type();
    }
  }

  /** A blob of zeros. */
  record ZeroBlob(int bytes) implements Expr {
    @Override
    public IrType type() {
      return new IrType.Blob(bytes);
    }
  }

  record Call(Subroutine subroutine, List<Expr> arguments) implements Expr {
    public Call {
      arguments = List.copyOf(arguments);
    }

    @Override
    public IrType type() {
      return subroutine.result();
    }
  }

  /** The kernel stack, at most so many frames. */
  record KernelStack(int frames) implements Expr {
    @Override
    public IrType type() {
      return IrType.Word.STACK;
    }
  }

  /** The stack of the process on the CPU. */
  record UserStack(int frames) implements Expr {
    @Override
    public IrType type() {
      return IrType.Word.USTACK;
    }
  }

  /** An address of the process on the CPU, with that process's id. */
  record UserAddress(Expr address) implements Expr {
    @Override
    public IrType type() {
      return IrType.Word.UADDR;
    }
  }
}
