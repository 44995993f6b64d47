// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.run;

import java.util.ArrayList;

/** Addresses of networks as text. */
final class Networks {
  private Networks() {}

  static String ipv4(byte[] a) {
    return (a[0] & 0xff) + "." + (a[1] & 0xff) + "." + (a[2] & 0xff) + "." + (a[3] & 0xff);
  }

  /** RFC 5952; addresses that hold an IPv4 one end in it. */
  static String ipv6(byte[] a) {
    var groups = new int[8];
    for (int i = 0; i < 8; i++) {
      groups[i] = (a[2 * i] & 0xff) << 8 | (a[2 * i + 1] & 0xff);
    }
    boolean zeros = true;
    for (int i = 0; i < 5; i++) {
      zeros &= groups[i] == 0;
    }
    boolean mapped = zeros && groups[5] == 0xffff;
    boolean compatible = zeros && groups[5] == 0 && groups[6] != 0;
    int count = mapped || compatible ? 6 : 8;
    int best = -1;
    int length = 1;
    for (int i = 0; i < count; i++) {
      int j = i;
      while (j < count && groups[j] == 0) {
        j++;
      }
      if (j - i > length) {
        best = i;
        length = j - i;
      }
    }
    var before = new ArrayList<String>();
    var after = new ArrayList<String>();
    for (int i = 0; i < count; i++) {
      if (best < 0 || i < best) {
        before.add(Integer.toHexString(groups[i]));
      } else if (i >= best + length) {
        after.add(Integer.toHexString(groups[i]));
      }
    }
    if (count == 6) {
      var tail = ipv4(new byte[] {a[12], a[13], a[14], a[15]});
      (best < 0 ? before : after).add(tail);
    }
    return String.join(":", before) + (best < 0 ? "" : "::" + String.join(":", after));
  }

  static String link(byte[] a) {
    var text = new StringBuilder();
    for (byte b : a) {
      text.append(text.isEmpty() ? "" : ":").append(String.format("%02x", b & 0xff));
    }
    return text.toString();
  }
}
