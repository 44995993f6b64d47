// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.elf;

import dev.fathom.symbols.demangle.Demangler;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What people call the symbols of C++, and which symbols these names are of. Filled by one thread,
 * then used by any.
 */
final class ReadableNames {
  private static final String ANONYMOUS = "(anonymous namespace)::";

  /** What gcc adds to the names of symbols whose types changed with its library. */
  private static final String ABI_TAG = "\\[abi:\\w+]";

  private final Map<String, List<Integer>> byName = new HashMap<>();

  /** Names with blanks by what they are without; made when one is first not found as it is. */
  private Map<String, List<String>> byCompact; // Null until somebody needs it.

  void add(String mangled, int symbol) {
    var all = Demangler.shortNames(mangled);
    Demangler.demangle(mangled).ifPresent(all::add);
    for (var one : variants(all)) {
      byName.computeIfAbsent(one, _ -> new ArrayList<>(1)).add(symbol);
    }
  }

  /** Names as they are, and as sources have them: these know no tags, and name no file's scope. */
  private static Set<String> variants(Set<String> names) {
    var all = new LinkedHashSet<>(names);
    for (var one : names) {
      if (one.contains("[abi:") || one.contains(ANONYMOUS)) {
        all.add(one.replaceAll(ABI_TAG, "").replace(ANONYMOUS, ""));
      }
    }
    return all;
  }

  /** Whether a name is that of a symbol with all that it is in. */
  static boolean isWhole(String mangled, String name) {
    var all = Demangler.scopedNames(mangled);
    Demangler.demangle(mangled).ifPresent(all::add);
    var wanted = compact(name);
    return variants(all).stream().anyMatch(one -> compact(one).equals(wanted));
  }

  /** The symbols of a name; what is in brackets may be written with other blanks. */
  synchronized List<Integer> find(String name) {
    var found = byName.get(name);
    if (found != null || (name.indexOf('<') < 0 && name.indexOf('(') < 0)) {
      return found == null ? List.of() : found;
    }
    if (byCompact == null) {
      byCompact = new HashMap<>();
      for (var one : byName.keySet()) {
        if (one.indexOf(' ') >= 0) {
          byCompact.computeIfAbsent(compact(one), _ -> new ArrayList<>(1)).add(one);
        }
      }
    }
    var all = new LinkedHashSet<Integer>();
    byCompact.getOrDefault(compact(name), List.of()).forEach(one -> all.addAll(byName.get(one)));
    all.addAll(byName.getOrDefault(compact(name), List.of()));
    return List.copyOf(all);
  }

  /** Without the blanks that only make a name pleasant: all but those between words. */
  private static String compact(String name) {
    if (name.indexOf(' ') < 0) {
      return name;
    }
    var text = new StringBuilder();
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      boolean counts =
          i > 0
              && i + 1 < name.length()
              && Character.isJavaIdentifierPart(name.charAt(i - 1))
              && Character.isJavaIdentifierPart(name.charAt(i + 1));
      if (c != ' ' || counts) {
        text.append(c);
      }
    }
    return text.toString();
  }

  /** All names. */
  Set<String> all() {
    return byName.keySet();
  }
}
