// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.dtrace.ir.Builtin;
import dev.fathom.dtrace.ir.OptionFlags;
import dev.fathom.dtrace.ir.Stmt;
import dev.fathom.dtrace.ir.Subroutine;
import dev.fathom.dtrace.probe.Engine;
import dev.fathom.dtrace.probe.Provider;
import dev.fathom.dtrace.syntax.Macros;
import dev.fathom.model.Program;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a program is compiled for.
 *
 * @param program kernel types and symbols; without one D's own types alone are known
 * @param providers those of the engine; {@code BEGIN}, {@code END} and {@code ERROR} need none
 * @param options of the command line ({@code -x}), by name; a flag has an empty value. {@code
 *     zdefs}, {@code empty}, {@code defaultargs}, {@code destructive} and those of {@link
 *     dev.fathom.dtrace.ir.Limits} matter here
 */
public record Environment(
    Optional<Program> program,
    List<Provider> providers,
    Set<Builtin> builtins,
    Set<Subroutine> subroutines,
    Set<Stmt.Destruction> destructions,
    Macros macros,
    Map<String, String> options) {
  public Environment {
    providers = List.copyOf(providers);
    builtins = Set.copyOf(builtins);
    subroutines = Set.copyOf(subroutines);
    destructions = Set.copyOf(destructions);
    options = Map.copyOf(options);
  }

  /** For an engine, with its capabilities. */
  public static Environment of(
      Engine engine, Optional<Program> program, Macros macros, Map<String, String> options) {
    return new Environment(
        program,
        engine.providers(),
        engine.builtins(),
        engine.subroutines(),
        engine.destructions(),
        macros,
        options);
  }

  /** With everything that the language has, and no probes but D's own three. */
  public static Environment bare(Macros macros, Map<String, String> options) {
    return new Environment(
        Optional.empty(),
        List.of(),
        EnumSet.allOf(Builtin.class),
        EnumSet.allOf(Subroutine.class),
        EnumSet.allOf(Stmt.Destruction.class),
        macros,
        options);
  }

  boolean has(String option) {
    return OptionFlags.isOn(options, option);
  }
}
