// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.gdb;

import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.command.CExpression;
import dev.fathom.command.CScope;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.lang.Expressions;
import dev.fathom.model.CxxNames;
import dev.fathom.model.Symbol;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.TypedefType;
import java.util.ArrayList;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;

/** What gdb's {@code info} tells of symbols, types, registers and displays. */
public final class InfoTopics {
  private InfoTopics() {}

  /** The items for these words; empty when the first names none of the topics here. */
  public static Optional<Stream<Item>> of(Invocation call) {
    var words = Words.of(call);
    if (words.isEmpty()) {
      return Optional.empty();
    }
    var rest = Words.joined(words, 1);
    var first = words.getFirst();
    if (cuts(first, "registers", 1)) {
      return Optional.of(RegistersTopic.named(call, words.subList(1, words.size())));
    }
    if (cuts(first, "all-registers", 2)) {
      return Optional.of(
          rest.isEmpty()
              ? RegistersTopic.all(call)
              : RegistersTopic.named(call, words.subList(1, words.size())));
    }
    if (cuts(first, "symbol", 2)) {
      return Optional.of(symbol(call, rest));
    }
    if (cuts(first, "address", 2)) {
      return Optional.of(address(call, rest));
    }
    if (cuts(first, "types", 2)) {
      return Optional.of(types(call, rest));
    }
    if (cuts(first, "variables", 2)) {
      return Optional.of(symbols(call, rest, false));
    }
    if (cuts(first, "functions", 2)) {
      return Optional.of(symbols(call, rest, true));
    }
    if (cuts(first, "vtbl", 2)) {
      return Optional.of(TablesTopic.of(call, rest));
    }
    if (cuts(first, "display", 4)) {
      return Optional.of(displays(call));
    }
    if (cuts(first, "proc", 2)) {
      return Optional.of(ProcessTopics.process(call, rest));
    }
    if (cuts(first, "signals", 3) || cuts(first, "handle", 2)) {
      return Optional.of(ProcessTopics.signals(call, rest));
    }
    return cuts(first, "files", 2) || cuts(first, "target", 2)
        ? Optional.of(Stream.concat(call.execute("::status"), call.execute("::objects")))
        : Optional.empty();
  }

  /** Whether a word is a topic, or its beginning. */
  private static boolean cuts(String word, String topic, int least) {
    return word.length() >= least && topic.startsWith(word);
  }

  private static Item line(String text) {
    return Item.show(new Datum.Text(text));
  }

  private static Stream<Item> symbol(Invocation call, String text) {
    if (text.isEmpty()) {
      throw new UsageException("an address is needed");
    }
    var value = CExpression.evaluate(call, text);
    long address = Expressions.decayed(value, new CScope(call)).asLong();
    var located = call.program().symbols().at(address);
    if (located.isEmpty()) {
      throw new EvalException("no symbol matches 0x" + Long.toHexString(address));
    }
    var found = located.get();
    var module = found.symbol().module();
    return Stream.of(
        line(
            found.symbol().name()
                + (found.offset() == 0 ? "" : " + " + found.offset())
                + (module.isEmpty() ? "" : " of module " + module)));
  }

  private static Stream<Item> address(Invocation call, String name) {
    var symbol =
        call.program()
            .symbols()
            .first(name)
            .orElseThrow(
                () ->
                    new LookupException(
                        "symbol", name, call.program().symbols().completions(name, 3)));
    var where = "0x" + Long.toHexString(symbol.address());
    var what =
        switch (symbol.kind()) {
          case TEXT -> "a function at address " + where;
          case PER_CPU -> "a per-CPU variable at offset " + where;
          case ABSOLUTE -> "constant " + where;
          default -> "static storage at address " + where;
        };
    return Stream.of(line("Symbol \"" + name + "\" is " + what + "."));
  }

  private static Pattern pattern(String text) {
    try {
      return Pattern.compile(text);
    } catch (PatternSyntaxException e) {
      throw new UsageException("'" + text + "' is not a regular expression: " + e.getDescription());
    }
  }

  private static String heading(String what, String regex) {
    return regex.isEmpty()
        ? "All defined " + what + ":"
        : "All " + what + " matching regular expression \"" + regex + "\":";
  }

  private static Stream<Item> types(Invocation call, String regex) {
    var pattern = pattern(regex);
    var found = new TreeSet<String>();
    for (var source : call.program().types().sources()) {
      try (var all = source.stream()) {
        all.forEach(
            type -> {
              var name = name(type);
              if (!name.isEmpty() && pattern.matcher(name).find()) {
                found.add(
                    type instanceof TypedefType t
                        ? "typedef " + t.target().declare(t.name()) + ";"
                        : type.text() + ";");
              }
            });
      }
    }
    return Stream.concat(
        Stream.of(line(heading("types", regex))), found.stream().map(InfoTopics::line));
  }

  private static String name(CType type) {
    return switch (type) {
      case TypedefType t -> t.name();
      case CompositeType c -> c.name();
      case EnumType e -> e.name();
      default -> "";
    };
  }

  private static Stream<Item> symbols(Invocation call, String regex, boolean functions) {
    var pattern = pattern(regex);
    var typed = new TreeMap<String, String>();
    var bare = new ArrayList<Symbol>();
    try (var all = call.program().symbols().stream()) {
      all.filter(s -> (s.kind() == Symbol.Kind.TEXT) == functions)
          .filter(s -> pattern.matcher(s.name()).find())
          .forEach(
              s -> {
                var type = call.program().types().ofSymbol(s.name(), s.address());
                if (type.isPresent()) {
                  typed.put(s.name(), declared(type.get(), s.name()) + ";");
                } else {
                  bare.add(s);
                }
              });
    }
    bare.sort((a, b) -> Long.compareUnsigned(a.address(), b.address()));
    var items = new ArrayList<Item>();
    items.add(line(heading(functions ? "functions" : "variables", regex)));
    typed.values().forEach(text -> items.add(line(text)));
    if (!bare.isEmpty()) {
      items.add(line(""));
      items.add(line("Non-debugging symbols:"));
      int digits = call.program().memory().layout().wordBytes() * 2;
      for (var s : bare) {
        var hex = Long.toHexString(s.address());
        items.add(
            line("0x" + "0".repeat(Math.max(0, digits - hex.length())) + hex + "  " + s.name()));
      }
    }
    return items.stream();
  }

  /** A function of C++ has its parameters in its symbol's name. */
  private static String declared(CType type, String name) {
    return type.resolved() instanceof FunctionType function && CxxNames.parameters(name) > 0
        ? function.result().declare(name)
        : type.declare(name);
  }

  private static Stream<Item> displays(Invocation call) {
    var displays = call.environment().gdb().displays();
    if (displays.isEmpty()) {
      return Stream.of(line("There are no auto-display expressions now."));
    }
    return displays.entrySet().stream()
        .map(entry -> line(entry.getKey() + ":   " + entry.getValue()));
  }
}
