// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

/** The type of a value at the probe. */
public sealed interface IrType {
  /** Types without parameters. */
  enum Word implements IrType {
    /** A 64-bit number; signedness is the operation's. Pointers are numbers. */
    INT,
    /** A byte string of at most {@code strsize} bytes. */
    STRING,
    /** The return addresses of a kernel stack. */
    STACK,
    /** A process's id and the return addresses of its stack. */
    USTACK,
    /** A process's id and an address in it. */
    UADDR
  }

  /** Bytes of a structure, union or array, in the target's layout. */
  record Blob(int bytes) implements IrType {
    public Blob {
      if (bytes < 0) {
        throw new IllegalArgumentException("blob of " + bytes + " bytes");
      }
    }
  }

  IrType INT = Word.INT;
  IrType STRING = Word.STRING;
}
