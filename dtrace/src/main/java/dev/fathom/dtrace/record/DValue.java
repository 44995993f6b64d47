// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.record;

import dev.fathom.dtrace.ir.IrType;
import java.util.Arrays;

/** A value that the probe side recorded. Not changed after it was made. */
public sealed interface DValue {
  IrType type();

  record Num(long value) implements DValue {
    @Override
    public IrType type() {
      return IrType.INT;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Num n && n.value == value;
    }

    @Override
    public int hashCode() {
      return Long.hashCode(value);
    }
  }

  /** A byte string, a {@code char} per byte. */
  record Text(String bytes) implements DValue {
    @Override
    public IrType type() {
      return IrType.STRING;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Text t && t.bytes.equals(bytes);
    }

    @Override
    public int hashCode() {
      return bytes.hashCode();
    }
  }

  /** Bytes in the target's layout. */
  record Blob(byte[] bytes) implements DValue {
    @Override
    public IrType type() {
      return new IrType.Blob(bytes.length);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Blob b && Arrays.equals(b.bytes, bytes);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
      return "Blob[" + bytes.length + " bytes]";
    }
  }

  /** A kernel stack, innermost frame first: pc of the probe, then return addresses. */
  record Stack(long[] pcs) implements DValue {
    @Override
    public IrType type() {
      return IrType.Word.STACK;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Stack s && Arrays.equals(s.pcs, pcs);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(pcs);
    }

    @Override
    public String toString() {
      return "Stack" + Arrays.toString(pcs);
    }
  }

  /** A process's stack. */
  record UserStack(long pid, long[] pcs) implements DValue {
    @Override
    public IrType type() {
      return IrType.Word.USTACK;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof UserStack s && s.pid == pid && Arrays.equals(s.pcs, pcs);
    }

    @Override
    public int hashCode() {
      return Long.hashCode(pid) * 31 + Arrays.hashCode(pcs);
    }

    @Override
    public String toString() {
      return "UserStack[" + pid + ", " + Arrays.toString(pcs) + "]";
    }
  }

  /** An address of a process. */
  record UserAddress(long pid, long address) implements DValue {
    @Override
    public IrType type() {
      return IrType.Word.UADDR;
    }
  }
}
