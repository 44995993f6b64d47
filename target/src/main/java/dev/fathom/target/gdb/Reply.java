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
   * S05}, {@code W00}, {@code X09}. No reply to a request of ours looks so.
   */
  boolean isStop() {
    return (startsWith('T') || startsWith('S') || startsWith('W') || startsWith('X'))
        && bytes.length >= 3
        && Hex.value(bytes[1] & 0xff) >= 0
        && Hex.value(bytes[2] & 0xff) >= 0;
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
