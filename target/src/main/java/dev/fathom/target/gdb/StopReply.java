// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import dev.fathom.target.Breakpoints;
import dev.fathom.target.Stop;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A stop as the stub told it: {@code T05thread:p1.1;watch:ffff;}, {@code S05}, {@code W00}.
 *
 * @param thread which thread; empty where the stub does not tell
 * @param registers those of that thread that came with it, by the stub's numbers, each as the
 *     digits of its bytes
 */
record StopReply(Stop.Reason reason, Optional<ThreadId> thread, Map<Integer, String> registers) {
  private static final int SIGTRAP = 5;

  /** Digits of the largest register number taken. */
  private static final int NUMBER_DIGITS = 4;

  static StopReply parse(Reply reply) {
    if (reply.startsWith('N') || !reply.isStop()) {
      return new StopReply(new Stop.Signal(0), Optional.empty(), Map.of());
    }
    int number = reply.number();
    if (reply.startsWith('W') || reply.startsWith('X')) {
      return new StopReply(new Stop.Ended(number), Optional.empty(), Map.of());
    }
    Stop.Reason reason = number == SIGTRAP ? new Stop.Trap() : new Stop.Signal(number);
    Optional<ThreadId> thread = Optional.empty();
    var registers = new HashMap<Integer, String>();
    String text = reply.text();
    int at = 3;
    while (at < text.length()) {
      int semicolon = text.indexOf(';', at);
      int end = semicolon < 0 ? text.length() : semicolon;
      int colon = text.indexOf(':', at);
      if (colon > 0 && colon < end) {
        String value = text.substring(colon + 1, end);
        switch (text.substring(at, colon)) {
          case "thread" -> thread = Optional.of(ThreadId.parse(value));
          case "watch" -> reason = watch(Breakpoints.Kind.WRITE, value, reason);
          case "rwatch" -> reason = watch(Breakpoints.Kind.READ, value, reason);
          case "awatch" -> reason = watch(Breakpoints.Kind.ACCESS, value, reason);
          default -> number(text.substring(at, colon)).ifPresent(n -> registers.put(n, value));
        }
      }
      at = end + 1;
    }
    return new StopReply(reason, thread, Map.copyOf(registers));
  }

  /** The number of a register; empty where the key is a word such as {@code core}. */
  private static OptionalInt number(String key) {
    int number = 0;
    for (int i = 0; i < key.length(); i++) {
      int digit = Hex.value(key.charAt(i));
      if (digit < 0 || i == NUMBER_DIGITS) {
        return OptionalInt.empty();
      }
      number = number << 4 | digit;
    }
    return key.isEmpty() ? OptionalInt.empty() : OptionalInt.of(number);
  }

  private static Stop.Reason watch(Breakpoints.Kind kind, String address, Stop.Reason otherwise) {
    if (address.isEmpty() || address.length() > 16) {
      return otherwise;
    }
    long value = 0;
    for (int i = 0; i < address.length(); i++) {
      int digit = Hex.value(address.charAt(i));
      if (digit < 0) {
        return otherwise;
      }
      value = value << 4 | digit;
    }
    return new Stop.Watch(kind, value);
  }
}
