// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.UsageException;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeName;
import dev.fathom.dtrace.probe.ProbePattern;
import dev.fathom.dtrace.probe.Provider;
import dev.fathom.dtrace.syntax.External.ProbeSpec;
import dev.fathom.dtrace.syntax.Source;
import dev.fathom.dtrace.syntax.Tag;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Turns probe descriptions into probes. */
public final class Expansion {
  private static final int LIMIT = 1_000_000;
  private static final List<Probe> OWN =
      List.of(
          new Probe(Probe.BEGIN, new ProbeName("dtrace", "", "", "BEGIN"), List.of()),
          new Probe(Probe.END, new ProbeName("dtrace", "", "", "END"), List.of()),
          new Probe(Probe.ERROR, new ProbeName("dtrace", "", "", "ERROR"), List.of()));

  private final List<Provider> providers;

  public Expansion(List<Provider> providers) {
    this.providers = List.copyOf(providers);
  }

  /** Every probe that matches, in order of id: D's own three first. */
  public List<Probe> matching(ProbePattern pattern) {
    var found = new ArrayList<Probe>();
    OWN.stream().filter(p -> pattern.matches(p.name())).forEach(found::add);
    for (var provider : providers) {
      if (mayHave(provider, pattern.provider())) {
        try (Stream<Probe> probes = provider.probes(pattern)) {
          probes.limit(LIMIT).forEach(found::add);
        }
      }
    }
    found.sort(Comparator.comparingInt(Probe::id));
    return List.copyOf(found);
  }

  /** The probe of that number. */
  public Optional<Probe> numbered(int id) {
    return matching(new ProbePattern("", "", "", "")).stream()
        .filter(p -> p.id() == id)
        .findFirst();
  }

  /** A provider for each process is named by its beginning: {@code pid123}. */
  private static boolean mayHave(Provider provider, String field) {
    return !ProbePattern.isExact(field) || field.startsWith(provider.name());
  }

  /** The description, all four fields, of what a program or command line says. */
  static ProbePattern pattern(Source source, ProbeSpec spec, Input.Kind kind) {
    var fields = Arrays.asList(spec.text().split(":", -1));
    int most =
        switch (kind) {
          case SCRIPT, VPROBES, NAME -> 4;
          case FUNCTION -> 3;
          case MODULE -> 2;
          case PROVIDER -> 1;
          case ID -> 0;
        };
    if (fields.size() > most) {
      throw source.error(
          spec.span(),
          Tag.D_PDESC_INVAL,
          "probe description "
              + spec.text()
              + (most == 0
                  ? " is no probe's number"
                  : " has " + fields.size() + " fields; at most " + most + " are expected"));
    }
    var padded = new ArrayList<>(fields);
    for (int i = most; i < 4; i++) {
      padded.add("");
    }
    return ProbePattern.of(padded);
  }

  /**
   * The probes of a description in a program.
   *
   * @param none whether it may match nothing ({@code -Z})
   */
  List<Probe> expand(Source source, ProbeSpec spec, Input.Kind kind, boolean none) {
    if (spec.text().chars().allMatch(Character::isDigit)) {
      var probe =
          spec.text().length() > 9
              ? Optional.<Probe>empty()
              : numbered(Integer.parseInt(spec.text()));
      if (probe.isEmpty() && !none) {
        throw source.error(
            spec.span(), Tag.D_PDESC_ZERO, "there is no probe with the number " + spec.text());
      }
      return probe.stream().toList();
    }
    var pattern = pattern(source, spec, kind);
    var found = matching(source, spec, pattern);
    if (found.isEmpty() && !none) {
      throw source.error(
          spec.span(),
          Tag.D_PDESC_ZERO,
          "probe description " + pattern + " does not match any probes" + near(pattern));
    }
    return found;
  }

  /** What matches in the providers' view, which may say that such a probe cannot be. */
  private List<Probe> matching(Source source, ProbeSpec spec, ProbePattern pattern) {
    try {
      return matching(pattern);
    } catch (UsageException e) {
      throw source.error(spec.span(), Tag.D_PDESC_INVAL, e.getMessage());
    }
  }

  /** What the description would match if one field were another. */
  private String near(ProbePattern p) {
    if (ProbePattern.isExact(p.provider())
        && OWN.stream().noneMatch(o -> o.name().provider().equals(p.provider()))
        && providers.stream().noneMatch(q -> mayHave(q, p.provider()))) {
      var names = new ArrayList<>(List.of("dtrace"));
      providers.forEach(q -> names.add(q.name()));
      return "; there is no provider '" + p.provider() + "', known are " + String.join(", ", names);
    }
    if (ProbePattern.isExact(p.name())) {
      var names = names(new ProbePattern(p.provider(), p.module(), p.function(), ""), 0);
      var near = Near.text(p.name(), names);
      if (!near.isEmpty()) {
        return near;
      }
    }
    if (ProbePattern.isExact(p.function())) {
      return Near.text(
          p.function(), names(new ProbePattern(p.provider(), p.module(), "", p.name()), 1));
    }
    return "";
  }

  private Set<String> names(ProbePattern pattern, int field) {
    var names = new HashSet<String>();
    for (var p : matching(pattern)) {
      names.add(field == 0 ? p.name().name() : p.name().function());
    }
    return names;
  }
}
