// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit;

/**
 * Writes ORC tables in the layouts of every kernel since 4.14. Registers and types are given by
 * their numbers.
 */
public final class OrcWriter {
  /** The layouts of an entry's bits by the first kernel that has each. */
  public enum Layout {
    V4_14,
    V4_18,
    V6_3,
    V6_4,
    V7_2
  }

  /** What lies at the caller's stack pointer. */
  public enum Type {
    UNDEFINED,
    END_OF_STACK,
    CALL,
    REGS,
    REGS_PARTIAL
  }

  /** ORC_REG_*. */
  public static final int UNDEFINED = 0;

  public static final int PREV_SP = 1;
  public static final int DX = 2;
  public static final int DI = 3;
  public static final int BP = 4;
  public static final int SP = 5;
  public static final int R10 = 6;
  public static final int R13 = 7;
  public static final int BP_INDIRECT = 8;
  public static final int SP_INDIRECT = 9;

  private final Layout layout;
  private final long ipAddress;
  private final LittleEndian ips = new LittleEndian();
  private final LittleEndian entries = new LittleEndian();

  /** Tables whose {@code orc_unwind_ip} is at {@code ipAddress}. */
  public OrcWriter(Layout layout, long ipAddress) {
    this.layout = layout;
    this.ipAddress = ipAddress;
  }

  /** Adds an entry that holds from {@code address}; to be added in ascending order. */
  public OrcWriter entry(
      long address, int sp, int spOffset, int bp, int bpOffset, Type type, boolean signal) {
    ips.u32(address - (ipAddress + ips.size()));
    entries.u16(spOffset).u16(bpOffset).u16(number(sp) | number(bp) << 4 | bits(type, signal));
    return this;
  }

  /** The entry of a function's first instruction. */
  public OrcWriter call(long address, int spOffset) {
    return entry(address, SP, spOffset, UNDEFINED, 0, Type.CALL, false);
  }

  /** The register's number in this layout. */
  private int number(int register) {
    if (layout != Layout.V7_2) {
      return register;
    }
    return switch (register) {
      case UNDEFINED, BP, R10, R13, SP_INDIRECT -> register;
      case SP -> 3;
      case PREV_SP -> 8;
      case BP_INDIRECT -> 10;
      default -> throw new IllegalArgumentException("no known number of register " + register);
    };
  }

  private int bits(Type type, boolean signal) {
    return switch (layout) {
      case V4_14 -> old(type) << 8;
      case V4_18 -> old(type) << 8 | (type == Type.END_OF_STACK ? 1 << 10 : 0);
      case V6_3 ->
          old(type) << 8 | (signal ? 1 << 10 : 0) | (type == Type.END_OF_STACK ? 1 << 11 : 0);
      case V6_4, V7_2 -> type.ordinal() << 8 | (signal ? 1 << 11 : 0);
    };
  }

  private static int old(Type type) {
    return switch (type) {
      case UNDEFINED, END_OF_STACK, CALL -> 0;
      case REGS -> 1;
      case REGS_PARTIAL -> 2;
    };
  }

  /** The bytes of {@code orc_unwind_ip}. */
  public byte[] ips() {
    return ips.toByteArray();
  }

  /** The bytes of {@code orc_unwind}. */
  public byte[] entries() {
    return entries.toByteArray();
  }
}
