// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace;

import dev.fathom.base.FathomException;
import dev.fathom.dtrace.compile.Compiler;
import dev.fathom.dtrace.compile.Environment;
import dev.fathom.dtrace.compile.Input;
import dev.fathom.dtrace.ir.Builtin;
import dev.fathom.dtrace.ir.Stmt;
import dev.fathom.dtrace.ir.Subroutine;
import dev.fathom.dtrace.probe.Plan;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.run.Interpreter;
import dev.fathom.dtrace.syntax.Macros;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Compiles and runs one D program over the same few events and writes what was recorded. A program
 * may have options in front: {@code -w}, {@code -Z}, {@code -x name=value}, {@code -a argument},
 * {@code -n} (a description), {@code -S} (only the intermediate form). {@code ⏎} is a new line.
 */
final class Scenario {
  /** An event of the synthetic system. */
  record Event(Probe probe, SyntheticContext context) {}

  private Scenario() {}

  static List<Event> events(SyntheticContext c) {
    long text = SyntheticContext.KERNEL + 16;
    return List.of(
        new Event(SyntheticProvider.READ_ENTRY, c.at(0, 100, 100, "cat", 1_000, 3L, text, 512L)),
        new Event(SyntheticProvider.READ_ENTRY, c.at(1, 201, 200, "sh", 1_100, 4L, text, 16L)),
        new Event(SyntheticProvider.READ_RETURN, c.at(0, 100, 100, "cat", 1_250, 0L, 512L)),
        new Event(SyntheticProvider.WRITE_ENTRY, c.at(0, 100, 100, "cat", 1_300, 1L, text)),
        new Event(SyntheticProvider.READ_RETURN, c.at(1, 201, 200, "sh", 1_900, 0L, -1L)),
        new Event(SyntheticProvider.TICK, c.at(0, 0, 0, "swapper/0", 2_000)));
  }

  static Environment environment(Macros macros, Map<String, String> options) {
    return new Environment(
        Optional.of(new SyntheticProgram()),
        List.of(new SyntheticProvider()),
        EnumSet.complementOf(EnumSet.of(Builtin.IPL)),
        EnumSet.complementOf(EnumSet.of(Subroutine.LINK_NTOP)),
        EnumSet.complementOf(EnumSet.of(Stmt.Destruction.PANIC)),
        macros,
        options);
  }

  static String run(String line) {
    var options = new HashMap<String, String>();
    var arguments = new ArrayList<>(List.of("test.d"));
    var kind = Input.Kind.SCRIPT;
    var text = line;
    boolean showIr = false;
    while (text.startsWith("-")) {
      int end = text.indexOf(' ');
      var option = text.substring(0, end);
      text = text.substring(end + 1);
      switch (option) {
        case "-w" -> options.put("destructive", "");
        case "-Z" -> options.put("zdefs", "");
        case "-S" -> showIr = true;
        case "-n" -> kind = Input.Kind.NAME;
        case "-f" -> kind = Input.Kind.FUNCTION;
        case "-m" -> kind = Input.Kind.MODULE;
        case "-P" -> kind = Input.Kind.PROVIDER;
        case "-i" -> kind = Input.Kind.ID;
        case "-x", "-a" -> {
          int space = text.indexOf(' ');
          var value = text.substring(0, space);
          text = text.substring(space + 1);
          if (option.equals("-a")) {
            arguments.add(value);
          } else {
            int equals = value.indexOf('=');
            options.put(
                equals < 0 ? value : value.substring(0, equals),
                equals < 0 ? "" : value.substring(equals + 1));
          }
        }
        default -> throw new IllegalArgumentException(option);
      }
    }
    text = text.replace("⏎", "\n");
    var input =
        kind == Input.Kind.SCRIPT ? Input.script("test.d", text) : Input.description(kind, text);
    try {
      var compiled =
          Compiler.compile(
              environment(
                  new Macros(arguments, Map.of("pid", 77L, "target", 100L), false), options),
              List.of(),
              List.of(input));
      if (showIr) {
        return compiled.dump("lower");
      }
      return "matched " + compiled.matched().getFirst() + "\n" + run(compiled.plan());
    } catch (FathomException e) {
      return e.getMessage() + "\n";
    }
  }

  static String run(Plan plan) {
    var log = new RecordLog(plan);
    var first = SyntheticContext.first();
    var interpreter = new Interpreter(plan, log, ByteOrder.LITTLE_ENDIAN, 42);
    interpreter.begin(first);
    for (var e : events(first)) {
      interpreter.site(e.probe()).fire(e.context());
    }
    interpreter.end(first);
    first.effects().forEach(log::line);
    return log.text();
  }
}
