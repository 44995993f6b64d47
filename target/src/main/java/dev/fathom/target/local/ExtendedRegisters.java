// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.local;

import dev.fathom.base.UnsupportedException;
import dev.fathom.target.FloatingRegisters;
import dev.fathom.target.RawRegisters.Raw;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The registers of x86-64's x87, SSE and AVX as FXSAVE and XSAVE lay them out, and ptrace and core
 * files hand them out (Intel SDM volume 1, tables 10-2 and 13-1):
 *
 * <pre>
 *   0  u16 control, status; u8 tags, one bit each; u16 opcode at 6
 *   8  u64 instruction pointer, data pointer; u32 MXCSR at 24
 *  32  8 x87 registers, 10 of 16 bytes each, the top of the stack first
 * 160  16 XMM registers of 16 bytes
 * 464  u64 XCR0: what of the rest there is (Linux arch/x86/include/uapi/asm/sigcontext.h)
 * 512  u64 XSTATE_BV: what of it is not as it was when the CPU started
 * 576  the upper halves of 16 YMM registers
 * </pre>
 */
public final class ExtendedRegisters {
  /** What FXSAVE writes. */
  private static final int FXSAVE_BYTES = 512;

  private static final int X87 = 32;
  private static final int VECTORS = 160;
  private static final int XCR0 = 464;
  private static final int XSTATE_BV = 512;
  private static final int UPPER_HALVES = 576;
  private static final int SLOT = 16;
  private static final int COUNT = 16;
  private static final int X87_COUNT = 8;

  /** The bit of AVX in XCR0 and XSTATE_BV. */
  private static final long AVX = 1 << 2;

  private static final int EMPTY = 3;

  private final byte[] area;
  private final ByteBuffer words;

  /**
   * @throws UnsupportedException when the area is shorter than FXSAVE's
   */
  public ExtendedRegisters(byte[] area) {
    if (area.length < FXSAVE_BYTES) {
      throw new UnsupportedException(
          "the registers for floating point are "
              + area.length
              + " bytes, expected "
              + FXSAVE_BYTES);
    }
    this.area = area;
    this.words = ByteBuffer.wrap(area).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The whole, with what was set. */
  public byte[] area() {
    return area;
  }

  /** XMM0 to XMM15, the least significant byte first. */
  public byte[] vector(int number) {
    int at = VECTORS + number * SLOT;
    return Arrays.copyOfRange(area, at, at + SLOT);
  }

  /** Sets XMM0 to XMM15 in the area. */
  public void setVector(int number, byte[] bytes) {
    System.arraycopy(bytes, 0, area, VECTORS + number * SLOT, SLOT);
  }

  /** ST0 to ST7, the least significant byte first. */
  public byte[] floating(int number) {
    int at = X87 + number * SLOT;
    return Arrays.copyOfRange(area, at, at + FloatingRegisters.FLOATING_BYTES);
  }

  /** All of them by gdb's names. */
  public List<Raw> all() {
    var all = new ArrayList<Raw>();
    for (int i = 0; i < X87_COUNT; i++) {
      all.add(new Raw("st" + i, 80, "i387_ext", floating(i)));
    }
    long instruction = words.getLong(8);
    long data = words.getLong(16);
    add(all, "fctrl", words.getShort(0));
    add(all, "fstat", words.getShort(2));
    add(all, "ftag", tags());
    add(all, "fiseg", (int) (instruction >>> 32) & 0xffff);
    add(all, "fioff", (int) instruction);
    add(all, "foseg", (int) (data >>> 32) & 0xffff);
    add(all, "fooff", (int) data);
    add(all, "fop", words.getShort(6));
    for (int i = 0; i < COUNT; i++) {
      all.add(new Raw("xmm" + i, 128, "vec128", vector(i)));
    }
    add(all, "mxcsr", words.getInt(24));
    boolean avx = area.length >= UPPER_HALVES + COUNT * SLOT && (words.getLong(XCR0) & AVX) != 0;
    if (avx) {
      boolean used = (words.getLong(XSTATE_BV) & AVX) != 0;
      for (int i = 0; i < COUNT; i++) {
        int at = UPPER_HALVES + i * SLOT;
        var half = used ? Arrays.copyOfRange(area, at, at + SLOT) : new byte[SLOT];
        all.add(new Raw("ymm" + i + "h", 128, "uint128", half));
      }
    }
    return List.copyOf(all);
  }

  private static void add(List<Raw> all, String name, int value) {
    // Half a word is no negative number.
    boolean half = name.startsWith("f") && !name.endsWith("off");
    int bits = half ? value & 0xffff : value;
    var bytes = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(bits);
    all.add(new Raw(name, 32, name.equals("mxcsr") ? "i386_mxcsr" : "int", bytes.array()));
  }

  /** The tag word in two bits each, which FXSAVE leaves out (Intel SDM volume 1, section 8.1.7). */
  private int tags() {
    int top = words.getShort(2) >> 11 & 7;
    int tags = 0;
    for (int physical = 0; physical < X87_COUNT; physical++) {
      boolean used = (area[4] >> physical & 1) != 0;
      int tag = used ? tag(floating(physical - top & 7)) : EMPTY;
      tags |= tag << (2 * physical);
    }
    return tags;
  }

  /** 0 of a valid number, 1 of zero, 2 of all others. */
  private static int tag(byte[] number) {
    var bytes = ByteBuffer.wrap(number).order(ByteOrder.LITTLE_ENDIAN);
    long significand = bytes.getLong(0);
    int exponent = bytes.getShort(8) & 0x7fff;
    if (exponent == 0 && significand == 0) {
      return 1;
    }
    return exponent == 0 || exponent == 0x7fff || significand >= 0 ? 2 : 0;
  }
}
