// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.demangle;

import dev.fathom.base.BadDataException;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/** Makes C++ names readable. */
public final class Demangler {
  /** Longer names are left as they are. */
  private static final int MAX_MANGLED = 1 << 14;

  private static final int MAX_DEMANGLED = 1 << 16;

  private Demangler() {}

  /** Whether the name looks like a mangled one. */
  public static boolean isMangled(String name) {
    return name.startsWith("_Z") || name.startsWith("__Z");
  }

  /**
   * The name as its source has it, as c++filt prints it; absent when it is not mangled, or is
   * mangled in a way that is not known, or is too long.
   */
  public static Optional<String> demangle(String mangled) {
    return parse(mangled).flatMap(Demangler::text);
  }

  /**
   * What people call the function or variable: {@code ns::Class<int>::run<char>} (without
   * parameters), {@code ns::Class<int>::run}, {@code run}. Empty when there is no such name.
   */
  public static Set<String> shortNames(String mangled) {
    var names = scopedNames(mangled);
    switch (named(mangled)) {
      case Node.Template t -> last(t.name()).ifPresent(names::add);
      case Node.Qualified q -> last(q).ifPresent(names::add);
      default -> {}
    }
    return names;
  }

  /** As {@link #shortNames}, without the name that lacks what it is in. */
  public static Set<String> scopedNames(String mangled) {
    var names = new LinkedHashSet<String>();
    var named = named(mangled);
    switch (named) {
      case Node.Template t -> {
        text(t).ifPresent(names::add);
        text(t.name()).ifPresent(names::add);
      }
      case Node.Qualified q -> text(q).ifPresent(names::add);
      case Node.Name _, Node.Tagged _ -> text(named).ifPresent(names::add);
      default -> {}
    }
    return names;
  }

  /** What a symbol is of, without the parameters of a function. */
  private static Node named(String mangled) {
    var node = parse(mangled).orElse(new Node.Name(""));
    while (node instanceof Node.Wrapped clone && clone.before().isEmpty()) {
      node = clone.node();
    }
    return node instanceof Node.Encoding function ? function.name() : node;
  }

  private static Optional<String> last(Node node) {
    return node instanceof Node.Qualified q ? text(q.name()) : Optional.empty();
  }

  private static Optional<Node> parse(String mangled) {
    if (!isMangled(mangled) || mangled.length() > MAX_MANGLED) {
      return Optional.empty();
    }
    try {
      return Optional.of(new Parser(mangled, mangled.indexOf('Z') + 1).whole());
    } catch (BadDataException e) {
      return Optional.empty(); // shown as it is
    }
  }

  private static Optional<String> text(Node node) {
    var printer = new Printer(MAX_DEMANGLED);
    printer.print(node);
    return printer.isOver() || printer.length() == 0
        ? Optional.empty()
        : Optional.of(printer.text());
  }
}
