// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.EvalException;

/**
 * What an expression may ask for (DWARF 5, section 2.5). Each method throws {@link EvalException},
 * or {@link dev.fathom.base.FaultException} for memory, when it has no answer; the message says
 * why. What a context cannot have it leaves as it is here.
 */
public interface ExpressionContext {
  /** The value of the register with that DWARF number in the frame in question. */
  default long register(int number) {
    throw missing("register " + number);
  }

  /** The unsigned number of {@code size} bytes, 1 to 8, at an address of the target. */
  default long read(long address, int size) {
    throw missing("memory");
  }

  /** The canonical frame address. */
  default long cfa() {
    throw missing("frame address");
  }

  /** The base that {@code DW_OP_fbreg} counts from. */
  default long frameBase() {
    throw missing("frame base");
  }

  /** The address of the object whose member is in question. */
  default long object() {
    throw missing("object");
  }

  /** Where an address of the file as linked is in the target. */
  default long loaded(long address) {
    return address;
  }

  /**
   * The entry of {@code .debug_addr} with that number, counted from the unit's base, as it is in
   * the target.
   */
  default long address(long index) {
    throw missing("table of addresses");
  }

  /** The address of a thread-local variable of the frame's thread and object. */
  default long threadLocal(long offset) {
    throw missing("thread-local storage");
  }

  /**
   * The expression in the {@code DW_AT_location} of an entry.
   *
   * @param inUnit whether {@code die} counts from the unit's start instead of the section's
   */
  default DwarfExpression called(long die, boolean inUnit) {
    throw missing("debugging information entry");
  }

  /** A constant from {@code .debug_addr}, which is no address. */
  default long constant(long index) {
    throw missing("table of addresses");
  }

  /** The number that a variable holds, by the section offset of its entry. */
  default long variable(long die) {
    throw missing("debugging information entry");
  }

  /** What {@code expression} was worth when the function was entered. */
  default long entryValue(DwarfExpression expression) {
    throw missing("caller");
  }

  /** What the caller passed for a parameter, by the offset of its entry in the unit. */
  default long parameter(long die) {
    throw missing("caller");
  }

  /** The base type described by the entry at {@code die} in the unit. */
  default BaseType baseType(long die) {
    throw missing("base type");
  }

  private static EvalException missing(String what) {
    return new EvalException("no " + what + " is known where it is evaluated");
  }
}
