// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.orc;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.Range;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A pair of ORC tables, searched by address and decoded on access (arch/x86/kernel/unwind_orc.c).
 *
 * <pre>
 *   orc_unwind_ip  n x s32: address of the code minus the address of this word; ascending once the kernel has booted
 *   orc_unwind     n x { s16 sp_offset, s16 bp_offset, u16 bits }; bits: 0-3 sp_reg, 4-7 bp_reg, then as {@link OrcLayout}
 * </pre>
 *
 * An entry holds from its address up to the next entry's. Instances are immutable.
 */
public final class Orc {
  private static final int ENTRY_LENGTH = 6;
  private static final int TYPE_SHIFT = 8;

  private final String source;
  private final long ipAddress;
  private final int[] ips;
  private final short[] entries;
  private final OrcLayout layout;

  private Orc(String source, long ipAddress, int[] ips, short[] entries, OrcLayout layout) {
    this.source = source;
    this.ipAddress = ipAddress;
    this.ips = ips;
    this.entries = entries;
    this.layout = layout;
  }

  /**
   * Reads a kernel's own tables and tells their layout from what they hold.
   *
   * @param ip the bytes of {@code orc_unwind_ip}
   * @param ipAddress their virtual address
   * @param entries the bytes of {@code orc_unwind}
   * @throws BadDataException when the tables do not fit each other, or are in none of the known
   *     layouts
   */
  public static Orc parse(ByteSource ip, long ipAddress, ByteSource entries) {
    return parse(ip, ipAddress, entries, Optional.empty());
  }

  /** Reads a module's tables, which are too small to tell their layout: it is the kernel's. */
  public static Orc parse(ByteSource ip, long ipAddress, ByteSource entries, OrcLayout layout) {
    return parse(ip, ipAddress, entries, Optional.of(layout));
  }

  private static Orc parse(
      ByteSource ip, long ipAddress, ByteSource entries, Optional<OrcLayout> layout) {
    long count = ip.size() / 4;
    if (count > entries.size() / ENTRY_LENGTH || entries.size() > Integer.MAX_VALUE - 8) {
      throw new BadDataException(
          entries.name(),
          0,
          "ORC has "
              + ip.size()
              + " bytes of addresses but "
              + entries.size()
              + " bytes of entries, six for four expected");
    }
    int n = (int) count;
    var ips = new int[n];
    buffer(ip, 4L * n).asIntBuffer().get(ips);
    var shorts = new short[3 * n];
    buffer(entries, (long) ENTRY_LENGTH * n).asShortBuffer().get(shorts);
    OrcLayout known =
        layout.isPresent()
            ? layout.get()
            : detect(shorts)
                .orElseThrow(
                    () ->
                        new BadDataException(
                            entries.name(),
                            0,
                            "ORC entries of " + n + " addresses are in no known layout"));
    return new Orc(ip.name(), ipAddress, ips, shorts, known);
  }

  private static ByteBuffer buffer(ByteSource source, long length) {
    return source.slice(0, length).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Tells the layout from the entries: by far the most describe plain calls, whose type is 2 in 6.4
   * and 0 before, and find the caller's stack pointer by their own, which is 3 in 7.2 and 5 before;
   * before 6.4 only 6.3 sets bit 11, and 6.3 sets bit 10 on entries that lead on, not on those that
   * end a stack.
   */
  private static Optional<OrcLayout> detect(short[] entries) {
    int calls = 0;
    int calls64 = 0;
    int bit10 = 0;
    int bit10LeadsOn = 0;
    int bit11 = 0;
    int bySpOf72 = 0;
    int count = 0;
    for (int i = 2; i < entries.length; i += 3) {
      int bits = entries[i];
      if ((bits & 0xf) != 0) {
        count++;
        bySpOf72 += (bits & 0xf) == 3 ? 1 : 0;
        calls += ((bits >> TYPE_SHIFT) & 3) == 0 ? 1 : 0;
        calls64 += ((bits >> TYPE_SHIFT) & 7) == 2 ? 1 : 0;
        bit10LeadsOn += (bits >> 10) & 1;
      }
      bit10 += (bits >> 10) & 1;
      bit11 += (bits >> 11) & 1;
    }
    if (count == 0) {
      return Optional.empty();
    }
    if (calls64 > count / 2) {
      return Optional.of(bySpOf72 > count / 2 ? OrcLayout.V7_2 : OrcLayout.V6_4);
    }
    if (calls <= count / 2) {
      return Optional.empty();
    }
    if (bit11 > 0 || bit10LeadsOn > 0) {
      return Optional.of(OrcLayout.V6_3);
    }
    return Optional.of(bit10 > 0 ? OrcLayout.V4_18 : OrcLayout.V4_14);
  }

  /** The name of the source of the addresses, for messages. */
  public String source() {
    return source;
  }

  public int count() {
    return ips.length;
  }

  public OrcLayout layout() {
    return layout;
  }

  /** The first address for which entry {@code index} holds. */
  public long address(int index) {
    return ipAddress + 4L * index + ips[index];
  }

  /** Whether the addresses ascend, as they must for {@link #find}. */
  public boolean isSorted() {
    for (int i = 1; i < ips.length; i++) {
      if (Long.compareUnsigned(address(i - 1), address(i)) > 0) {
        return false;
      }
    }
    return true;
  }

  /** From the first entry's address to the last one's, which only marks the end. */
  public Range range() {
    return ips.length == 0 ? new Range(0, 0) : ordered(address(0), address(ips.length - 1));
  }

  private static Range ordered(long a, long b) {
    return Long.compareUnsigned(a, b) <= 0 ? new Range(a, b) : new Range(b, a);
  }

  /**
   * The number of the entry that holds for the instruction at {@code pc}; absent outside the table,
   * whose last entry only marks the end.
   */
  public OptionalInt find(long pc) {
    int low = 0;
    int high = ips.length - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(address(middle), pc) <= 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return high < 0 || high == ips.length - 1 ? OptionalInt.empty() : OptionalInt.of(high);
  }

  /** The six bytes of entry {@code index} as a number; equal numbers decode equally. */
  public long raw(int index) {
    return (entries[3 * index] & 0xffffL)
        | (entries[3 * index + 1] & 0xffffL) << 16
        | (entries[3 * index + 2] & 0xffffL) << 32;
  }

  /** Entry {@code index}, decoded. */
  public OrcEntry entry(int index) {
    int bits = entries[3 * index + 2];
    var sp = OrcEntry.Base.of(bits & 0xf, layout);
    var bp = OrcEntry.Base.of((bits >> 4) & 0xf, layout);
    var encoded =
        switch (layout) {
          case V4_14 -> sp == OrcEntry.Base.UNDEFINED ? OrcEntry.Type.END_OF_STACK : oldType(bits);
          case V4_18 -> bit(bits, 10) ? OrcEntry.Type.END_OF_STACK : oldType(bits);
          case V6_3 -> bit(bits, 11) ? OrcEntry.Type.END_OF_STACK : oldType(bits);
          case V6_4, V7_2 -> newType(bits);
        };
    boolean leadsOn = sp != OrcEntry.Base.UNDEFINED || encoded == OrcEntry.Type.END_OF_STACK;
    var type = leadsOn ? encoded : OrcEntry.Type.UNDEFINED;
    boolean signal =
        switch (layout) {
          case V4_14, V4_18 -> isRegs(type);
          case V6_3 -> bit(bits, 10);
          case V6_4, V7_2 -> bit(bits, 11);
        };
    return new OrcEntry(sp, entries[3 * index], bp, entries[3 * index + 1], type, signal);
  }

  private static boolean bit(int bits, int number) {
    return ((bits >> number) & 1) != 0;
  }

  /** Before 6.3 had a bit for it, saved registers meant that the frame was interrupted. */
  private static boolean isRegs(OrcEntry.Type type) {
    return type == OrcEntry.Type.REGS || type == OrcEntry.Type.REGS_PARTIAL;
  }

  private static OrcEntry.Type oldType(int bits) {
    return switch ((bits >> TYPE_SHIFT) & 3) {
      case 0 -> OrcEntry.Type.CALL;
      case 1 -> OrcEntry.Type.REGS;
      case 2 -> OrcEntry.Type.REGS_PARTIAL;
      default -> OrcEntry.Type.UNDEFINED;
    };
  }

  private static OrcEntry.Type newType(int bits) {
    return switch ((bits >> TYPE_SHIFT) & 7) {
      case 1 -> OrcEntry.Type.END_OF_STACK;
      case 2 -> OrcEntry.Type.CALL;
      case 3 -> OrcEntry.Type.REGS;
      case 4 -> OrcEntry.Type.REGS_PARTIAL;
      default -> OrcEntry.Type.UNDEFINED;
    };
  }
}
