// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.vprobe;

import dev.fathom.base.Span;
import java.util.List;

/** A form of VProbes' Lisp. */
sealed interface Form {
  Span span();

  record Symbol(String name, Span span) implements Form {}

  record Number(long value, Span span) implements Form {}

  /** A {@code char} per byte. */
  record Text(String value, Span span) implements Form {}

  record Listed(List<Form> items, Span span) implements Form {
    public Listed {
      items = List.copyOf(items);
    }

    /** The name in front; empty where there is none. */
    String head() {
      return !items.isEmpty() && items.getFirst() instanceof Symbol s ? s.name() : "";
    }

    List<Form> rest() {
      return items.isEmpty() ? items : items.subList(1, items.size());
    }
  }

  static Form list(Span at, String head, List<? extends Form> rest) {
    var items = new java.util.ArrayList<Form>();
    items.add(new Symbol(head, at));
    items.addAll(rest);
    return new Listed(items, at);
  }

  static Form list(Span at, String head, Form... rest) {
    return list(at, head, List.of(rest));
  }
}
