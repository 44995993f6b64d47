// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.process;

import dev.fathom.target.Breakpoints.Kind;
import dev.fathom.target.ProcessTracer;
import java.util.Optional;

/**
 * The four debug registers of x86 (Intel SDM volume 3, 17.2), as each thread of a process has them:
 * DR0 to DR3 hold addresses, DR7 says what is watched and how many bytes, DR6 which was hit.
 */
final class DebugRegisters {
  /** Offset of {@code u_debugreg} in {@code struct user} (Linux arch/x86/include/asm/user_64.h). */
  private static final long OFFSET = 848;

  private static final int SLOTS = 4;
  private static final int STATUS = 6;
  private static final int CONTROL = 7;
  private static final int HIT_BITS = 0xf;

  /** What is in a slot. */
  record Point(Kind kind, long address, int length) {}

  private final ProcessTracer ptrace;
  private final Point[] slots = new Point[SLOTS];

  DebugRegisters(ProcessTracer ptrace) {
    this.ptrace = ptrace;
  }

  boolean isEmpty() {
    for (var point : slots) {
      if (point != null) {
        return false;
      }
    }
    return true;
  }

  /** Takes a slot; false when there is none left or it cannot be watched so. */
  boolean add(Point point) {
    boolean code = point.kind() == Kind.HARDWARE;
    boolean data = point.kind() == Kind.WRITE || point.kind() == Kind.ACCESS;
    int length = code ? 1 : point.length();
    boolean fits = length == 1 || length == 2 || length == 4 || length == 8;
    if (!(code || data) || !fits || point.address() % length != 0) {
      return false;
    }
    for (int i = 0; i < SLOTS; i++) {
      if (slots[i] == null) {
        slots[i] = point;
        return true;
      }
    }
    return false;
  }

  void remove(Point point) {
    for (int i = 0; i < SLOTS; i++) {
      if (point.equals(slots[i])) {
        slots[i] = null;
        return;
      }
    }
  }

  void clear() {
    java.util.Arrays.fill(slots, null);
  }

  /** Gives a stopped thread what is in the slots; false when its CPU refuses. */
  boolean apply(int thread) {
    // Off first: addresses are checked against the kind and length of a slot that is on.
    boolean good = ptrace.setUser(thread, OFFSET + CONTROL * 8, 0);
    for (int i = 0; i < SLOTS && good; i++) {
      good = ptrace.setUser(thread, OFFSET + i * 8L, slots[i] == null ? 0 : slots[i].address());
    }
    return good && (isEmpty() || ptrace.setUser(thread, OFFSET + CONTROL * 8, control()));
  }

  private long control() {
    long value = 0;
    for (int i = 0; i < SLOTS; i++) {
      if (slots[i] != null) {
        long access =
            switch (slots[i].kind()) {
              case WRITE -> 1;
              case ACCESS, READ -> 3;
              case HARDWARE, SOFTWARE -> 0;
            };
        long length =
            access == 0
                ? 0
                : switch (slots[i].length()) {
                  case 2 -> 1;
                  case 4 -> 3;
                  case 8 -> 2;
                  default -> 0;
                };
        value |= 1L << (2 * i) | (access | length << 2) << (16 + 4 * i);
      }
    }
    return value;
  }

  /** What the stopped thread hit; forgets it. */
  Optional<Point> hit(int thread) {
    if (isEmpty()) {
      return Optional.empty();
    }
    var status = ptrace.user(thread, OFFSET + STATUS * 8);
    if (status.isEmpty() || (status.get() & HIT_BITS) == 0) {
      return Optional.empty();
    }
    var point = slots[Long.numberOfTrailingZeros(status.get() & HIT_BITS)];
    ptrace.setUser(thread, OFFSET + STATUS * 8, 0);
    return Optional.ofNullable(point);
  }
}
