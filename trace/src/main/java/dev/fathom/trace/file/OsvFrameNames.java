// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.file;

import dev.fathom.format.osvt.OsvTraceFile;
import dev.fathom.trace.Frame;
import dev.fathom.trace.FrameNames;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** The symbols and modules that a dump of OSv lists. */
final class OsvFrameNames implements FrameNames {
  private record Named(long address, long size, String name, Optional<String> file) {}

  private final List<Named> symbols;
  private final List<Named> modules;

  private OsvFrameNames(List<Named> symbols, List<Named> modules) {
    this.symbols = symbols;
    this.modules = modules;
  }

  static FrameNames of(OsvTraceFile file) {
    if (file.symbols().isEmpty() && file.modules().isEmpty()) {
      return NONE;
    }
    var symbols = new ArrayList<Named>();
    for (var symbol : file.symbols()) {
      var from = Optional.of(symbol.file()).filter(text -> !text.isEmpty());
      symbols.add(new Named(symbol.address(), symbol.size(), symbol.name(), from));
    }
    var modules = new ArrayList<Named>();
    for (var module : file.modules()) {
      modules.add(new Named(module.base(), module.size(), module.path(), Optional.empty()));
    }
    Comparator<Named> byAddress = (a, b) -> Long.compareUnsigned(a.address(), b.address());
    symbols.sort(byAddress);
    modules.sort(byAddress);
    return new OsvFrameNames(symbols, modules);
  }

  @Override
  public List<Frame> at(long address) {
    return find(symbols, address)
        .map(symbol -> frame(address, symbol.name(), symbol.file()))
        .or(
            () ->
                find(modules, address)
                    .map(
                        module ->
                            frame(
                                address,
                                module.name()
                                    + "+0x"
                                    + Long.toHexString(address - module.address()),
                                Optional.empty())))
        .map(List::of)
        .orElse(List.of());
  }

  private static Frame frame(long address, String name, Optional<String> file) {
    return new Frame(address, Optional.of(name), file, OptionalInt.empty());
  }

  private static Optional<Named> find(List<Named> sorted, long address) {
    int low = 0;
    int high = sorted.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(sorted.get(middle).address(), address) <= 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low == 0) {
      return Optional.empty();
    }
    var found = sorted.get(low - 1);
    boolean inside = Long.compareUnsigned(address - found.address(), Math.max(found.size(), 1)) < 0;
    return inside ? Optional.of(found) : Optional.empty();
  }
}
