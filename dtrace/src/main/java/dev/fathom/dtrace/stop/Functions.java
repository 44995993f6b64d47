// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.dtrace.probe.ProbeArgument;
import dev.fathom.dtrace.probe.ProbePattern;
import dev.fathom.model.Located;
import dev.fathom.model.Program;
import dev.fathom.model.Symbol;
import dev.fathom.model.arch.Flow;
import dev.fathom.model.arch.FlowKind;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.VoidType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.stream.Stream;

/** The functions of a program: their names, types and instructions. */
final class Functions {
  /** What the kernel's own symbols belong to. */
  static final String KERNEL = "vmlinux";

  /** Larger than any function of a kernel. */
  private static final long LARGEST = 1 << 20;

  /** More arguments are not in registers on any architecture. */
  private static final int REGISTERS = 8;

  private static final IntType OFFSET = new IntType("long", 8, true, false);

  /** What precedes functions in kernels built with padding or with control-flow integrity. */
  private static final List<String> NO_FUNCTIONS = List.of("__pfx_", "__cfi_");

  /**
   * The code that a kernel returns through where it works around CPUs that guess returns wrongly
   * (arch/x86/lib/retpoline.S, since 5.19).
   */
  private static final Set<String> RETURN_THUNKS =
      Set.of(
          "__x86_return_thunk",
          "retbleed_return_thunk",
          "srso_return_thunk",
          "srso_alias_return_thunk",
          "its_return_thunk");

  /** Code that a kernel jumps through to what a register holds (arch/x86/lib/retpoline.S). */
  private static final String INDIRECT_THUNKS = "__x86_indirect_";

  /** More functions than any one that jumps to others leads through. */
  private static final int MOST_FOLLOWED = 64;

  private final Program program;
  private final String image;
  private List<Symbol> sorted = List.of();

  /**
   * @param image the name of what symbols without a module belong to: {@code vmlinux}
   */
  Functions(Program program, String image) {
    this.program = program;
    this.image = image;
  }

  /** Images came or went. */
  void forget() {
    sorted = List.of();
  }

  Program program() {
    return program;
  }

  String module(Symbol symbol) {
    return symbol.module().isEmpty() ? image : symbol.module();
  }

  /** The functions that the module and function fields of a pattern match, by address. */
  Stream<Symbol> matching(ProbePattern pattern) {
    if (ProbePattern.isExact(pattern.function())) {
      return program.symbols().named(pattern.function()).stream()
          .filter(Functions::isFunction)
          .filter(s -> ProbePattern.matches(pattern.module(), module(s)));
    }
    return all().stream()
        .filter(s -> ProbePattern.matches(pattern.function(), s.name()))
        .filter(s -> ProbePattern.matches(pattern.module(), module(s)));
  }

  /** Every function, by address. */
  List<Symbol> all() {
    if (sorted.isEmpty()) {
      try (var symbols = program.symbols().stream()) {
        sorted =
            symbols
                .filter(Functions::isFunction)
                .sorted(
                    Comparator.<Symbol>comparingLong(s -> s.address() + Long.MIN_VALUE)
                        .thenComparing(Symbol::name))
                .toList();
      }
    }
    return sorted;
  }

  private static boolean isFunction(Symbol symbol) {
    return symbol.kind() == Symbol.Kind.TEXT
        && symbol.size() > 0
        && !symbol.name().contains(".cold")
        && NO_FUNCTIONS.stream().noneMatch(symbol.name()::startsWith);
  }

  /** The types of {@code args[]} at a function's entry; empty when they are not known. */
  List<ProbeArgument> parameters(String function) {
    var type = type(function);
    var arguments = new ArrayList<ProbeArgument>();
    if (type.isPresent()) {
      for (var parameter : type.get().parameters()) {
        if (arguments.size() < REGISTERS) {
          arguments.add(new ProbeArgument(arguments.size(), parameter.type()));
        }
      }
    }
    return arguments;
  }

  /** The types of {@code args[]} at a function's return: the offset, and the value if any. */
  List<ProbeArgument> result(String function) {
    var type = type(function);
    return type.isEmpty() || type.get().result().resolved() instanceof VoidType
        ? List.of()
        : List.of(new ProbeArgument(0, OFFSET), new ProbeArgument(1, type.get().result()));
  }

  private Optional<FunctionType> type(String function) {
    return program
        .types()
        .ofSymbol(function)
        .map(CType::resolved)
        .filter(FunctionType.class::isInstance)
        .map(FunctionType.class::cast);
  }

  /** The addresses of the instructions at which a function returns, in order. */
  List<Long> returns(long function, long size) {
    return instructions(function, size, (flow, _) -> isReturn(flow));
  }

  /**
   * The addresses at which a function returns whose last act is to jump to another function: the
   * other's returns, and so on. Jumps through registers and memory are not followed.
   */
  List<Long> returnsElsewhere(long function, long size) {
    var found = new ArrayList<Long>();
    var known = new HashSet<Long>();
    known.add(function);
    var toVisit = new ArrayDeque<>(leftBy(function, size));
    while (!toVisit.isEmpty() && known.size() < MOST_FOLLOWED) {
      var next = toVisit.poll();
      if (known.add(next.address())) {
        found.addAll(returns(next.address(), next.size()));
        toVisit.addAll(leftBy(next.address(), next.size()));
      }
    }
    return found;
  }

  /** The functions that jumps in a function lead to the beginnings of; its own cold part, too. */
  private List<Symbol> leftBy(long function, long size) {
    var found = new LinkedHashSet<Symbol>();
    var jumps =
        instructions(
            function,
            size,
            (flow, _) -> {
              boolean out =
                  (flow.kind() == FlowKind.JUMP || flow.kind() == FlowKind.BRANCH)
                      && flow.target().isPresent()
                      && Long.compareUnsigned(flow.target().getAsLong() - function, size) >= 0
                      && !isReturn(flow);
              if (out) {
                program
                    .symbols()
                    .at(flow.target().getAsLong())
                    .filter(Functions::isEntered)
                    .ifPresent(at -> found.add(at.symbol()));
              }
              return out;
            });
    return jumps.isEmpty() ? List.of() : List.copyOf(found);
  }

  private static boolean isEntered(Located at) {
    var symbol = at.symbol();
    return symbol.kind() == Symbol.Kind.TEXT
        && symbol.size() > 0
        && (at.offset() == 0 || symbol.name().contains(".cold"))
        && !symbol.name().startsWith(INDIRECT_THUNKS);
  }

  private boolean isReturn(Flow flow) {
    return flow.kind() == FlowKind.RETURN
        || (flow.kind() == FlowKind.JUMP
            && flow.target().isPresent()
            && program
                .symbols()
                .at(flow.target().getAsLong())
                .filter(at -> at.offset() == 0)
                .filter(at -> RETURN_THUNKS.contains(at.symbol().name()))
                .isPresent());
  }

  /** The addresses of the instructions of a function that {@code wanted} takes, in order. */
  List<Long> instructions(long function, long size, BiPredicate<Flow, Long> wanted) {
    var code = code(function, size);
    var decoder = program.architecture().flowDecoder();
    var found = new ArrayList<Long>();
    int at = 0;
    while (at < code.length) {
      var flow = decoder.decode(code, at, code.length, function + at);
      if (flow.isEmpty()) {
        break;
      }
      if (wanted.test(flow.get(), function + at)) {
        found.add(function + at);
      }
      at += flow.get().length();
    }
    return found;
  }

  /** The bytes of a function, as far as they can be read. */
  byte[] code(long function, long size) {
    var code = new byte[(int) Math.min(size, LARGEST)];
    int got = program.memory().read(function, MemorySegment.ofArray(code));
    return got == code.length ? code : java.util.Arrays.copyOf(code, got);
  }
}
