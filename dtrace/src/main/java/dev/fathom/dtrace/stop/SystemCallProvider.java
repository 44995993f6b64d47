// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeName;
import dev.fathom.dtrace.probe.ProbePattern;
import dev.fathom.dtrace.probe.Provider;
import dev.fathom.dtrace.probe.Stability;
import dev.fathom.model.Program;
import dev.fathom.model.Symbol;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * {@code syscall}: the system calls of a Linux guest, found by the functions that take their
 * arguments from the registers of user mode ({@code __x64_sys_read}, arch/x86/include/asm/
 * syscall_wrapper.h, since 4.17; {@code __arm64_sys_read}, since 4.19).
 */
final class SystemCallProvider implements Provider {
  private final Functions functions;
  private final Places places;
  private final Supplier<CallNumbers> numbers;
  private final String prefix;

  /**
   * @param numbers of the kernel, which tell functions of 64-bit programs' calls from others
   */
  SystemCallProvider(Functions functions, Places places, Supplier<CallNumbers> numbers) {
    this.functions = functions;
    this.places = places;
    this.numbers = numbers;
    prefix = prefix(functions.program());
  }

  /** What the names of the functions of system calls begin with. */
  static String prefix(Program program) {
    return program.architecture().name().equals("aarch64") ? "__arm64_sys_" : "__x64_sys_";
  }

  @Override
  public String name() {
    return "syscall";
  }

  @Override
  public Stability stability() {
    return Stability.STABLE;
  }

  @Override
  public Stream<Probe> probes(ProbePattern pattern) {
    boolean entry = ProbePattern.matches(pattern.name(), "entry");
    boolean back = ProbePattern.matches(pattern.name(), "return");
    if (!ProbePattern.matches(pattern.provider(), name())
        || !ProbePattern.matches(pattern.module(), Functions.KERNEL)
        || !(entry || back)) {
      return Stream.empty();
    }
    var calls =
        ProbePattern.isExact(pattern.function())
            ? functions.program().symbols().named(prefix + pattern.function()).stream()
            : functions.all().stream()
                .filter(f -> f.name().startsWith(prefix))
                .filter(f -> ProbePattern.matches(pattern.function(), call(f)));
    return calls
        .filter(f -> numbers.get().isEmpty() || numbers.get().has(f.address()))
        .flatMap(
            f ->
                Stream.concat(
                    entry
                        ? Stream.of(probe(f, "entry", new Place.SystemCall(f.address())))
                        : Stream.empty(),
                    back
                        ? Stream.of(
                            probe(f, "return", new Place.SystemReturn(f.address(), f.size())))
                        : Stream.empty()));
  }

  private String call(Symbol function) {
    return function.name().substring(prefix.length());
  }

  private Probe probe(Symbol function, String name, Place place) {
    return places.probe(
        new ProbeName(name(), Functions.KERNEL, call(function), name), place, List.of());
  }
}
