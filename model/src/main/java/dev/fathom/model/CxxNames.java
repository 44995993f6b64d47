// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

/** Names of C++ as demanglers write them, those of functions with their parameters behind. */
public final class CxxNames {
  private CxxNames() {}

  /**
   * Where the list of parameters begins in {@code ns::f(int, void (*)(int)) const}: the bracket
   * that the last one closes; -1 where the name has none.
   */
  public static int parameters(String function) {
    int depth = 0;
    for (int i = function.lastIndexOf(')'); i > 0; i--) {
      depth += function.charAt(i) == ')' ? 1 : function.charAt(i) == '(' ? -1 : 0;
      if (depth == 0) {
        return i;
      }
    }
    return -1;
  }

  /** {@code C::f} of {@code C::f(int) const}; a name that does not end with parameters as it is. */
  public static String withoutParameters(String function) {
    var behind = function.substring(function.lastIndexOf(')') + 1);
    int open = behind.replace("const", "").isBlank() ? parameters(function) : -1;
    return open < 0 ? function : function.substring(0, open).strip();
  }

  /**
   * Where the last {@code ::} outside of a template's arguments is, before which the name of what
   * this is in ends; -1 where it is in nothing.
   */
  public static int scopeEnd(String name) {
    int depth = 0;
    for (int i = name.length() - 1; i > 0; i--) {
      char c = name.charAt(i);
      depth += c == '>' ? 1 : c == '<' ? -1 : 0;
      if (c == ':' && name.charAt(i - 1) == ':' && depth == 0) {
        return i - 1;
      }
    }
    return -1;
  }
}
