// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.model.CxxNames;
import dev.fathom.model.Program;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.VoidType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The functions of C++ outside of classes, of which several may have one name: which one arguments
 * mean, and which one a name with its parameters is. What is not sure is refused.
 */
final class Functions {
  private static final int MOST_SHOWN = 8;
  private static final int MOST_PARAMETERS = 100;

  private final Scope scope;
  private final Program program;
  private final Overloads overloads;

  Functions(Scope scope, CTypes types) {
    this.scope = scope;
    this.program = scope.program();
    this.overloads = new Overloads(types);
  }

  /**
   * The functions that share the name which a call has; none where the name is that of one.
   *
   * @param first what the name alone is
   */
  List<Scope.Function> several(Expr called, Value first) {
    var name =
        switch (called) {
          case Expr.Name n -> n.name();
          case Expr.Scoped s -> s.scope().isEmpty() ? s.name() : s.scope() + "::" + s.name();
          default -> "";
        };
    if (name.isEmpty() || !(first.type().resolved() instanceof FunctionType)) {
      return List.of();
    }
    var all = scope.functions(name);
    return all.size() > 1 && all.stream().anyMatch(one -> isSame(one, first)) ? all : List.of();
  }

  /**
   * The one of several functions that a call means.
   *
   * @throws EvalException when it is not plain which one
   */
  Value.Ref meant(List<Scope.Function> all, List<Overloads.Argument> arguments) {
    var best = overloads.meant(all, Functions::signature, arguments);
    if (best.size() > 1) {
      // Those that are no template's go first (C++17 section 16.3.3).
      var own = best.stream().filter(one -> !isOfTemplate(one.name())).toList();
      best = own.size() == 1 ? own : best;
    }
    if (best.size() != 1) {
      throw new EvalException(
          (best.isEmpty() ? "no function takes " : "several functions take ")
              + types(arguments)
              + ": "
              + listed(best.isEmpty() ? all : best));
    }
    if (all.stream().anyMatch(Functions::isUnknown)) { // Any of them may be what is meant.
      throw new EvalException("no debug information tells what they take: " + listed(all));
    }
    return best.getFirst().code();
  }

  private static boolean isSame(Scope.Function function, Value value) {
    return value instanceof Value.Ref ref && ref.address() == function.code().address();
  }

  private static Overloads.Signature signature(Scope.Function function) {
    return function.code().type().resolved() instanceof FunctionType type
        ? Overloads.Signature.of(type)
        : new Overloads.Signature(List.of(), true);
  }

  /** Whether nothing tells what it takes: it is then said to take and return anything. */
  private static boolean isUnknown(Scope.Function function) {
    return !(function.code().type().resolved() instanceof FunctionType type) || type.isUnknown();
  }

  private static boolean isOfTemplate(String function) {
    int open = CxxNames.parameters(function);
    return open > 0 && function.charAt(open - 1) == '>' && function.indexOf("operator") < 0;
  }

  private static String types(List<Overloads.Argument> arguments) {
    return "(" + String.join(", ", arguments.stream().map(a -> a.type().text()).toList()) + ")";
  }

  private static String listed(List<Scope.Function> functions) {
    var names = functions.stream().limit(MOST_SHOWN).map(Scope.Function::name).toList();
    int more = functions.size() - names.size();
    return String.join(", ", names) + (more > 0 ? " and " + more + " more" : "");
  }

  /**
   * The function whose name and parameters a text has, in whatever words: {@code length(const
   * std::string &)}. Empty where it does not name one.
   *
   * @throws EvalException when several have such parameters
   */
  Optional<Value> called(String text) {
    int open = CxxNames.parameters(text);
    if (open <= 0) {
      return Optional.empty();
    }
    var all = scope.functions(text.substring(0, open).strip());
    var wanted = all.isEmpty() ? Optional.<List<CType>>empty() : list(text.substring(open));
    if (wanted.isEmpty()) {
      return Optional.empty();
    }
    var same = all.stream().filter(one -> takes(one, wanted.get(), false)).toList();
    if (same.size() > 1) {
      same = same.stream().filter(one -> takes(one, wanted.get(), true)).toList();
    }
    if (same.size() > 1) {
      throw new EvalException("'" + text + "' is not clear: " + listed(same));
    }
    return same.stream().findFirst().map(Scope.Function::code);
  }

  /** The types in {@code (int, char *)}, whatever stands behind it; empty where they are none. */
  private Optional<List<CType>> list(String text) {
    var found = new ArrayList<CType>();
    int depth = 0;
    int start = 1;
    for (int i = 1; i < text.length(); i++) {
      char c = text.charAt(i);
      if (depth == 0 && (c == ',' || c == ')')) {
        var word = text.substring(start, i).strip();
        if (!word.isEmpty() || c == ',') {
          var type = type(word);
          if (type.isEmpty() || found.size() == MOST_PARAMETERS) {
            return Optional.empty();
          }
          found.add(type.get());
        }
        if (c == ')') {
          break;
        }
        start = i + 1;
      }
      depth += c == '<' || c == '(' ? 1 : c == '>' || c == ')' ? -1 : 0;
    }
    boolean none = found.size() == 1 && found.getFirst().resolved() instanceof VoidType;
    return Optional.of(none ? List.of() : found);
  }

  private Optional<CType> type(String text) {
    try {
      return Expressions.type(text, program.types());
    } catch (EvalException | LookupException e) {
      return Optional.empty(); // No function takes what is no type.
    }
  }

  /**
   * @param just whether constant and other references and pointers differ
   */
  private static boolean takes(Scope.Function function, List<CType> wanted, boolean just) {
    var own = signature(function).parameters();
    if (own.size() != wanted.size()) {
      return false;
    }
    for (int i = 0; i < own.size(); i++) {
      if (!SameTypes.of(own.get(i), wanted.get(i))
          || (just && isToConstant(own.get(i)) != isToConstant(wanted.get(i)))) {
        return false;
      }
    }
    return true;
  }

  private static boolean isToConstant(CType type) {
    return type.resolved() instanceof PointerType p && Methods.isConstant(p.target());
  }
}
