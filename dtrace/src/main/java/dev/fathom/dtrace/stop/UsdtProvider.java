// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.FathomException;
import dev.fathom.base.MappedFile;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeArgument;
import dev.fathom.dtrace.probe.ProbeName;
import dev.fathom.dtrace.probe.ProbePattern;
import dev.fathom.dtrace.probe.Provider;
import dev.fathom.format.elf.Elf;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.format.elf.StapProbe;
import dev.fathom.target.ProcessView;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * The probes that a process's program and libraries were compiled with ({@code sys/sdt.h}), by the
 * name that their author gave the provider, followed by the process's number: {@code
 * libc123:libc.so.6:malloc:memory_heap_more}.
 */
final class UsdtProvider implements Provider {
  /** A probe of a file, where it is in the process. */
  private record Found(String module, StapProbe probe, long slide) {}

  private final String author;
  private final String provider;
  private final List<Found> found;
  private final Functions functions;
  private final Places places;

  private UsdtProvider(
      String author, long pid, List<Found> found, Functions functions, Places places) {
    this.author = author;
    this.provider = author + pid;
    this.found = found;
    this.functions = functions;
    this.places = places;
  }

  /** The providers of a process: those in the files that are mapped now. */
  static List<Provider> of(ProcessView process, Functions functions, Places places) {
    var byAuthor = new LinkedHashMap<String, List<Found>>();
    for (var mapping : process.mappings()) {
      if (mapping.isFile() && mapping.offset() == 0) {
        probes(process, mapping, byAuthor);
      }
    }
    var providers = new ArrayList<Provider>();
    byAuthor.forEach(
        (author, found) ->
            providers.add(new UsdtProvider(author, process.process(), found, functions, places)));
    return providers;
  }

  private static void probes(
      ProcessView process, ProcessView.Mapped mapping, Map<String, List<Found>> byAuthor) {
    var path = process.file(mapping);
    if (path.isEmpty()) {
      return;
    }
    var module = mapping.name().substring(mapping.name().lastIndexOf('/') + 1);
    try (var source = MappedFile.open(path.get())) {
      if (!ElfFile.matches(source)) {
        return;
      }
      var file = ElfFile.read(source);
      long slide = file.header().type() == Elf.ET_EXEC ? 0 : mapping.range().start() - file.base();
      for (var probe : StapProbe.of(file)) {
        byAuthor
            .computeIfAbsent(probe.provider(), _ -> new ArrayList<>())
            .add(new Found(module, probe, slide));
      }
    } catch (FathomException _) {
      return; // A file that was replaced or is damaged has no probes; its mappings are as they are.
    }
  }

  @Override
  public String name() {
    return author;
  }

  @Override
  public Stream<Probe> probes(ProbePattern pattern) {
    if (!ProbePattern.matches(pattern.provider(), provider)) {
      return Stream.empty();
    }
    return found.stream()
        .filter(one -> ProbePattern.matches(pattern.module(), one.module()))
        .filter(one -> ProbePattern.matches(pattern.name(), one.probe().name()))
        .filter(one -> ProbePattern.matches(pattern.function(), function(one)))
        .map(this::probe);
  }

  private String function(Found one) {
    return functions
        .program()
        .symbols()
        .at(one.probe().pc() + one.slide())
        .map(at -> at.symbol().name())
        .orElse("");
  }

  private Probe probe(Found one) {
    long pc = one.probe().pc() + one.slide();
    var semaphore = one.probe().semaphore();
    var arguments = UsdtArgument.parse(one.probe().arguments());
    var place =
        new Place.Usdt(
            functions.program().symbols().at(pc).map(at -> at.symbol().address()).orElse(pc),
            pc,
            arguments,
            semaphore.isPresent()
                ? OptionalLong.of(semaphore.getAsLong() + one.slide())
                : OptionalLong.empty());
    var types = new ArrayList<ProbeArgument>();
    for (int i = 0; i < arguments.size(); i++) {
      types.add(new ProbeArgument(i, arguments.get(i).type()));
    }
    return places.probe(
        new ProbeName(provider, one.module(), function(one), one.probe().name()), place, types);
  }
}
