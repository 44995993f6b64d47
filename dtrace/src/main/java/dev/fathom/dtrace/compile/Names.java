// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.dtrace.ir.AggregationFunction;
import dev.fathom.dtrace.ir.Builtin;
import dev.fathom.dtrace.ir.Subroutine;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;

/** The names that D has by itself. */
final class Names {
  /** Statements; they have no value. */
  private static final Set<String> ACTIONS =
      Set.of(
          "breakpoint",
          "chill",
          "clear",
          "commit",
          "denormalize",
          "discard",
          "exit",
          "freopen",
          "ftruncate",
          "normalize",
          "panic",
          "pcap",
          "print",
          "printa",
          "printf",
          "printm",
          "raise",
          "return",
          "setopt",
          "speculate",
          "stop",
          "system",
          "trace",
          "tracemem",
          "trunc");

  /**
   * Functions that the compiler turns into simpler things, or whose value is no number or string.
   */
  private static final Set<String> SPECIAL =
      Set.of(
          "func",
          "getmajor",
          "getminor",
          "jstack",
          "mod",
          "mutex_owned",
          "mutex_owner",
          "mutex_type_adaptive",
          "mutex_type_spin",
          "rw_iswriter",
          "rw_read_held",
          "rw_write_held",
          "stack",
          "strip",
          "sym",
          "uaddr",
          "ufunc",
          "umod",
          "ustack",
          "usym");

  private Names() {}

  static boolean isAction(String name) {
    return ACTIONS.contains(name);
  }

  /** Functions that the compiler turns into simpler things. */
  static boolean isSpecial(String name) {
    return SPECIAL.contains(name);
  }

  static boolean isAggregating(String name) {
    return AggregationFunction.named(name).isPresent();
  }

  static boolean isFunction(String name) {
    return isAction(name)
        || isAggregating(name)
        || SPECIAL.contains(name)
        || Subroutine.named(name).filter(s -> !s.inner() && !s.library()).isPresent();
  }

  /** Whether a program cannot have a global variable of that name. */
  static boolean isReserved(String name) {
    return isFunction(name)
        || Builtin.named(name).isPresent()
        || name.matches("arg[0-9]|args|uregs|self|this");
  }

  static Set<String> functions() {
    var all = new TreeSet<String>();
    all.addAll(ACTIONS);
    all.addAll(SPECIAL);
    Arrays.stream(Subroutine.values()).filter(s -> !s.inner()).forEach(s -> all.add(s.text()));
    Arrays.stream(AggregationFunction.values()).forEach(f -> all.add(f.text()));
    return all;
  }

  /** Everything, for names that look alike. */
  static Set<String> all() {
    var all = new HashSet<>(functions());
    Arrays.stream(Builtin.values()).forEach(b -> all.add(b.text()));
    for (int i = 0; i < 10; i++) {
      all.add("arg" + i);
    }
    all.add("args");
    all.add("uregs");
    return all;
  }
}
