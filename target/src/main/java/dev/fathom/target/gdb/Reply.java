// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import java.nio.charset.StandardCharsets;

/** The payload of a reply. */
record Reply(byte[] bytes) {
  /** What a stub answers to a packet that it does not know. */
  boolean isUnknown() {
    return bytes.length == 0;
  }

  boolean isOk() {
    return bytes.length == 2 && bytes[0] == 'O' && bytes[1] == 'K';
  }

  /** {@code E} and two digits, or {@code E.} and a text. */
  boolean isError() {
    return bytes.length >= 2
        && bytes[0] == 'E'
        && (bytes[1] == '.'
            || (bytes.length == 3
                && Hex.value(bytes[1] & 0xff) >= 0
                && Hex.value(bytes[2] & 0xff) >= 0));
  }

  boolean startsWith(char first) {
    return bytes.length > 0 && bytes[0] == first;
  }

  /**
   * Whether this tells that the target stopped or ended, whatever was asked: {@code T05...}, {@code
   * S05}, {@code W00}, {@code X09}; gdbserver writes {@code W3;process:4d2}, with as many digits as
   * it takes. No reply to a request of ours looks so.
   */
  boolean isStop() {
    int digits = digits();
    boolean ends = startsWith('W') || startsWith('X');
    boolean one = digits == 1 && (bytes.length == 2 || bytes[2] == ';');
    return ends ? digits == 2 || one : (startsWith('T') || startsWith('S')) && digits == 2;
  }

  /** The number behind the first letter of a stop: the signal, or with what status it ended. */
  int number() {
    int number = 0;
    for (int i = 1; i <= digits(); i++) {
      number = number << 4 | Hex.value(bytes[i] & 0xff);
    }
    return number;
  }

  /** How many hexadecimal digits stand behind the first letter, at most two. */
  private int digits() {
    int digits = 0;
    while (digits < 2 && digits + 1 < bytes.length && Hex.value(bytes[digits + 1] & 0xff) >= 0) {
      digits++;
    }
    return digits;
  }

  String text() {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  /** For messages: short, printable. */
  String shown() {
    if (isUnknown()) {
      return "an empty reply";
    }
    var shown = new StringBuilder("'");
    for (int i = 0; i < bytes.length && i < 40; i++) {
      shown.append(bytes[i] >= 0x20 && bytes[i] < 0x7f ? (char) bytes[i] : '.');
    }
    return shown.append(bytes.length > 40 ? "...'" : "'").toString();
  }
}
