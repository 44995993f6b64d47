// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.FathomException;
import dev.fathom.dtrace.probe.AddressNames;
import dev.fathom.kernel.Mapping;
import dev.fathom.model.Image;
import dev.fathom.model.Located;
import dev.fathom.session.Session;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Names from a session's symbols; of a guest's processes the files that are mapped. */
public final class SessionNames implements AddressNames {
  private final Session session;
  private final Map<Long, List<Mapping>> mappings = new HashMap<>();

  public SessionNames(Session session) {
    this.session = session;
  }

  @Override
  public Optional<Name> kernel(long address) {
    return session.kernel().program().symbols().at(address).map(SessionNames::name);
  }

  private static Name name(Located at) {
    var symbol = at.symbol();
    return new Name(
        symbol.module().isEmpty() ? Functions.KERNEL : symbol.module(),
        Optional.of(symbol.name()),
        symbol.address(),
        at.offset());
  }

  @Override
  public Optional<Name> user(long pid, long address) {
    if (StopEngine.isProcess(session.kernel())) {
      return ofProcess(address);
    }
    for (var mapping : mappings.computeIfAbsent(pid, this::mapped)) {
      if (mapping.range().contains(address) && !mapping.name().isEmpty()) {
        var file = mapping.name().substring(mapping.name().lastIndexOf('/') + 1);
        long start = mapping.range().start();
        return Optional.of(new Name(file, Optional.empty(), start, address - start));
      }
    }
    return Optional.empty();
  }

  /** By its function and the program or library that it is of; of a stripped one by that alone. */
  private Optional<Name> ofProcess(long address) {
    return session.kernel().imageAt(address).map(image -> name(image, address));
  }

  private Name name(Image image, long address) {
    long start = image.ranges().getFirst().start();
    return session
        .kernel()
        .program()
        .symbols()
        .at(address)
        .filter(at -> at.symbol().address() != start)
        .map(SessionNames::name)
        .map(known -> new Name(image.name(), known.function(), known.start(), known.offset()))
        .orElseGet(() -> new Name(image.name(), Optional.empty(), start, address - start));
  }

  private List<Mapping> mapped(long pid) {
    try {
      var kernel = session.kernel();
      var task = kernel.taskOfId(pid);
      return task.isEmpty() ? List.of() : kernel.mappings(task.get(), _ -> {});
    } catch (FathomException _) {
      return List.of(); // The process is gone, and its addresses are shown as they are.
    }
  }
}
