// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.dtrace.probe.Engine;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeArgument;
import dev.fathom.dtrace.probe.ProbeName;
import dev.fathom.dtrace.probe.ProbePattern;
import dev.fathom.dtrace.probe.Stability;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code -l}: probes as dtrace lists them. */
final class ProbeListing {
  private static final String ROW = "%5s %10s %17s %33s %s%n";

  private static final List<Probe> OWN =
      List.of(
          new Probe(Probe.BEGIN, new ProbeName("dtrace", "", "", "BEGIN"), List.of()),
          new Probe(Probe.END, new ProbeName("dtrace", "", "", "END"), List.of()),
          new Probe(Probe.ERROR, new ProbeName("dtrace", "", "", "ERROR"), List.of()));

  private final Engine engine;
  private final boolean verbose;

  /**
   * @param verbose whether stability and argument types follow each probe
   */
  ProbeListing(Engine engine, boolean verbose) {
    this.engine = engine;
    this.verbose = verbose;
  }

  /** Every probe. */
  void all(Writer out) throws IOException {
    var everything = new ProbePattern("", "", "", "");
    write(
        Stream.concat(
            OWN.stream(),
            engine.providers().stream().flatMap(provider -> provider.probes(everything))),
        out);
  }

  void of(List<Probe> probes, Writer out) throws IOException {
    write(probes.stream(), out);
  }

  private void write(Stream<Probe> probes, Writer out) throws IOException {
    out.append(String.format(Locale.ROOT, ROW, "ID", "PROVIDER", "MODULE", "FUNCTION", "NAME"));
    try (probes) {
      probes.forEach(
          probe -> {
            try {
              write(probe, out);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    }
  }

  private void write(Probe probe, Writer out) throws IOException {
    var name = probe.name();
    out.append(
        String.format(
            Locale.ROOT,
            ROW,
            probe.id(),
            name.provider(),
            name.module(),
            name.function(),
            name.name()));
    if (verbose) {
      var stability = stability(name.provider());
      attributes("Probe Description", stability, out);
      attributes("Argument", stability, out);
      out.append("\n\tArgument Types\n");
      for (int i = 0; i < probe.arguments().size(); i++) {
        out.append("\t\targs[" + i + "]: " + type(probe.arguments().get(i)) + "\n");
      }
      if (probe.arguments().isEmpty()) {
        out.append("\t\tNone\n");
      }
      out.append('\n');
    }
  }

  private static String type(ProbeArgument argument) {
    return argument.translated().orElseGet(() -> argument.type().text());
  }

  private Stability stability(String provider) {
    return engine.providers().stream()
        .filter(p -> provider.startsWith(p.name()))
        .findFirst()
        .map(p -> p.stability())
        .or(() -> Optional.of(Stability.STABLE))
        .orElseThrow();
  }

  private static void attributes(String what, Stability stability, Writer out) throws IOException {
    out.append("\n\t" + what + " Attributes\n");
    out.append("\t\tIdentifier Names: " + stability.name().text() + "\n");
    out.append("\t\tData Semantics:   " + stability.data().text() + "\n");
    out.append("\t\tDependency Class: " + stability.dependency().text() + "\n");
  }
}
