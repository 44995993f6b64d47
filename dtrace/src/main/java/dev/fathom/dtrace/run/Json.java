// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.run;

/**
 * D's {@code json()}: the value at a path such as {@code a.b[2].c} in JSON text. Text that is not
 * JSON up to that value has none. The text is at most a D string, and each character is looked at a
 * number of times that the path's length bounds.
 */
final class Json {
  private final String text;
  private int at;

  private Json(String text) {
    this.text = text;
  }

  /** The value as text: a string without its quotes, anything else as written; or empty. */
  static String find(String text, String path) {
    var json = new Json(text);
    int i = 0;
    while (i < path.length()) {
      char c = path.charAt(i);
      if (c == '[') {
        int end = path.indexOf(']', i);
        if (end < 0 || end - i > 6 || end == i + 1 || !digits(path, i + 1, end)) {
          return "";
        }
        if (!json.enterElement(Integer.parseInt(path, i + 1, end, 10))) {
          return "";
        }
        i = end + 1;
      } else {
        int from = c == '.' ? i + 1 : i;
        int end = from;
        while (end < path.length() && path.charAt(end) != '.' && path.charAt(end) != '[') {
          end++;
        }
        if (!json.enterMember(path.substring(from, end))) {
          return "";
        }
        i = end;
      }
    }
    return json.value();
  }

  private static boolean digits(String s, int from, int to) {
    for (int i = from; i < to; i++) {
      if (s.charAt(i) < '0' || s.charAt(i) > '9') {
        return false;
      }
    }
    return true;
  }

  private void blanks() {
    while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private boolean take(char c) {
    blanks();
    if (at < text.length() && text.charAt(at) == c) {
      at++;
      return true;
    }
    return false;
  }

  private boolean enterElement(int index) {
    if (!take('[')) {
      return false;
    }
    for (int i = 0; i < index; i++) {
      if (!skip() || !take(',')) {
        return false;
      }
    }
    blanks();
    return at < text.length() && text.charAt(at) != ']';
  }

  private boolean enterMember(String name) {
    if (!take('{')) {
      return false;
    }
    while (true) {
      blanks();
      int start = at;
      if (!string() || !take(':')) {
        return false;
      }
      // Names with escapes are compared as they are written.
      int quote = text.indexOf('"', start);
      boolean found = text.startsWith(name + "\"", quote + 1);
      if (found) {
        return true;
      }
      if (!skip() || !take(',')) {
        return false;
      }
    }
  }

  private boolean string() {
    if (at >= text.length() || text.charAt(at) != '"') {
      return false;
    }
    for (at++; at < text.length(); at++) {
      if (text.charAt(at) == '\\') {
        at++;
      } else if (text.charAt(at) == '"') {
        at++;
        return true;
      }
    }
    return false;
  }

  /** Skips one value. */
  private boolean skip() {
    blanks();
    int depth = 0;
    int start = at;
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == '"') {
        if (!string()) {
          return false;
        }
        if (depth == 0) {
          return true;
        }
        continue;
      }
      if (c == '{' || c == '[') {
        depth++;
      } else if (c == '}' || c == ']') {
        if (depth == 0) {
          return at > start;
        }
        if (--depth == 0) {
          at++;
          return true;
        }
      } else if (c == ',' && depth == 0) {
        return at > start;
      }
      at++;
    }
    return depth == 0 && at > start;
  }

  private String value() {
    blanks();
    int start = at;
    if (!skip()) {
      return "";
    }
    var found = text.substring(start, at).strip();
    return found.startsWith("\"") && found.length() > 1
        ? found.substring(1, found.length() - 1)
        : found;
  }
}
