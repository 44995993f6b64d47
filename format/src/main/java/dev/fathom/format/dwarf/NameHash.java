// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import java.nio.charset.StandardCharsets;

/**
 * The hash of a qualified name, computed part by part. Blanks count only between two words, so that
 * {@code vector<int, long>} and {@code vector<int,long>} are one name.
 */
final class NameHash {
  /** The hash of no name: the outermost scope. */
  static final long START = 0;

  private static final long FACTOR = 0x9e3779b97f4a7c15L;

  private NameHash() {}

  /** Continues the hash of a scope with a name's UTF-8 bytes. */
  static long of(long scope, byte[] bytes, int start, int end) {
    long hash = scope;
    int last = ':';
    boolean blank = false;
    for (int i = start; i < end; i++) {
      int b = bytes[i];
      if (b == ' ') {
        blank = true;
        continue;
      }
      if (blank && isWord(last) && isWord(b)) {
        hash = (hash + ' ' + 1) * FACTOR;
      }
      blank = false;
      hash = (hash + (b & 0xff) + 1) * FACTOR;
      hash ^= hash >>> 29;
      last = b;
    }
    return hash & Long.MAX_VALUE;
  }

  /** Continues the hash of a name with the {@code ::} that makes it a scope. */
  static long join(long name) {
    long hash = name;
    for (int i = 0; i < 2; i++) {
      hash = (hash + ':' + 1) * FACTOR;
      hash ^= hash >>> 29;
    }
    return hash & Long.MAX_VALUE;
  }

  static int fold(long hash) {
    long mixed = (hash & Long.MAX_VALUE) * FACTOR;
    return (int) (mixed >>> 32);
  }

  /** The folded hash of a name as typed. */
  static int of(String qualifiedName) {
    byte[] bytes = qualifiedName.getBytes(StandardCharsets.UTF_8);
    return fold(whole(bytes));
  }

  /** Names join at {@code ::} outside of angle brackets and parentheses. */
  private static long whole(byte[] bytes) {
    long hash = START;
    int depth = 0;
    int start = 0;
    for (int i = 0; i + 1 < bytes.length; i++) {
      int b = bytes[i];
      if (b == '<' || b == '(') {
        depth++;
      } else if (b == '>' || b == ')') {
        depth--;
      } else if (depth == 0 && b == ':' && bytes[i + 1] == ':') {
        hash = join(of(hash, bytes, start, i));
        i++;
        start = i + 1;
      }
    }
    return of(hash, bytes, start, bytes.length);
  }

  /** A name without the blanks that do not count, for comparing. */
  static String plain(String name) {
    if (name.indexOf(' ') < 0) {
      return name;
    }
    var text = new StringBuilder(name.length());
    boolean blank = false;
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (c == ' ') {
        blank = true;
        continue;
      }
      if (blank && !text.isEmpty() && isWord(text.charAt(text.length() - 1)) && isWord(c)) {
        text.append(' ');
      }
      blank = false;
      text.append(c);
    }
    return text.toString();
  }

  private static boolean isWord(int c) {
    return c == '_'
        || (c >= '0' && c <= '9')
        || (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || c < 0
        || c > 127;
  }

  /** Where the first of ascending hashes stands that is not below {@code hash}. */
  static int first(int[] hashes, int hash) {
    int low = 0;
    int high = hashes.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (hashes[middle] < hash) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
