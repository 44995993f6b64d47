// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session;

import dev.fathom.base.EvalException;
import dev.fathom.model.Symbol;
import dev.fathom.model.source.SourceInfo.FunctionCode;
import dev.fathom.model.source.SourceLine;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The code that a function's name means, as gdb takes it: all functions of that name, those of
 * other files, the overloads of C++, what the compiler made of one ({@code f.constprop.0}), and the
 * copies that were inlined into other functions. Symbols tell of the first ones, debug information
 * of the rest.
 */
public final class NamedCode {
  /** A name that means more places is refused. */
  public static final int MOST_PLACES = 1000;

  private static final int MOST_CLONES = 100;

  /**
   * What gcc and clang put behind the name of a function of which they made another. What is {@code
   * cold} is a piece of one, where no call comes to.
   */
  private static final Pattern CLONE =
      Pattern.compile("(?:\\.(?:constprop|isra|part|lto_priv|clone|llvm)(?:\\.\\d+)*)+");

  private final Session session;

  NamedCode(Session session) {
    this.session = session;
  }

  /**
   * The places of a function, in the order of their addresses; none where nothing has the name.
   *
   * @param file the source file that it is in, or the end of its path at a slash; empty for any
   * @param name {@code vfs_read}, {@code loop`lo_ioctl}, {@code ns::Class::method}, {@code
   *     over(double)}
   * @throws EvalException when there are more than {@link #MOST_PLACES}
   */
  public List<FunctionCode> find(String file, String name) {
    var symbols = symbols(name);
    var found = new TreeMap<Long, FunctionCode>(Long::compareUnsigned);
    for (var symbol : symbols) {
      found.putIfAbsent(symbol.address(), of(symbol));
    }
    var addresses = new HashSet<>(found.keySet());
    var module = name.substring(0, Math.max(0, name.indexOf('`')));
    for (var plain : names(name, symbols)) {
      if (file.isEmpty() && found.size() > MOST_PLACES) {
        break;
      }
      for (var code : session.debugSources().functions(plain, module, addresses, MOST_PLACES + 1)) {
        found.merge(code.address(), code, (_, described) -> described);
      }
    }
    var chosen =
        file.isEmpty()
            ? List.copyOf(found.values())
            : found.values().stream().filter(code -> isIn(code, file)).toList();
    if (chosen.size() > MOST_PLACES) {
      throw new EvalException(
          "'"
              + name
              + "' is at more than "
              + MOST_PLACES
              + " places: choose by FILE:FUNCTION, FILE:LINE or *ADDRESS");
    }
    return chosen;
  }

  /** The functions that symbols have, without pieces of others. */
  private List<Symbol> symbols(String name) {
    var table = session.kernel().program().symbols();
    var found = new ArrayList<>(table.named(name));
    if (name.indexOf(':') < 0 && name.indexOf('(') < 0) {
      for (var clone : table.completions(name + ".", MOST_CLONES)) {
        if (CLONE.matcher(clone.substring(name.length())).matches()) {
          found.addAll(table.named(clone));
        }
      }
    }
    return found.stream()
        .filter(s -> s.kind() == Symbol.Kind.TEXT)
        .filter(s -> !s.name().contains("[clone .cold"))
        .toList();
  }

  private FunctionCode of(Symbol symbol) {
    return new FunctionCode(symbol.address(), symbol.name(), false, Optional.empty());
  }

  /** What debug information is asked for: the name, and what it may be short for in C++. */
  private static Set<String> names(String name, List<Symbol> symbols) {
    var own = name.substring(name.indexOf('`') + 1);
    var all = new LinkedHashSet<>(List.of(own));
    if (own.indexOf('(') < 0) {
      for (var symbol : symbols) {
        int open = symbol.name().indexOf('(', 1);
        var scoped = open < 0 ? "" : symbol.name().substring(0, open);
        // The names of a template's functions have what they return in front.
        if (scoped.endsWith("::" + own) && scoped.indexOf(' ') < 0) {
          all.add(scoped);
        }
      }
    }
    return all;
  }

  private boolean isIn(FunctionCode code, String file) {
    var path =
        code.declared()
            .or(() -> session.sources().line(code.address()))
            .map(SourceLine::path)
            .orElse("");
    return path.equals(file) || path.endsWith("/" + file);
  }
}
