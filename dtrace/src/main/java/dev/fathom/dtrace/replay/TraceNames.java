// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.replay;

import dev.fathom.dtrace.probe.AddressNames;
import dev.fathom.trace.FrameNames;
import java.util.Optional;

/** Names that a trace or its symbols have for addresses: functions, without where they start. */
public final class TraceNames implements AddressNames {
  private final FrameNames names;

  public TraceNames(FrameNames names) {
    this.names = names;
  }

  @Override
  public Optional<Name> kernel(long address) {
    var frames = names.at(address);
    if (frames.isEmpty() || frames.getLast().name().isEmpty()) {
      return Optional.empty();
    }
    var name = frames.getLast().name().get();
    int quote = name.indexOf('`');
    var module = quote < 0 ? "kernel" : name.substring(0, quote);
    return Optional.of(new Name(module, Optional.of(name.substring(quote + 1)), address, 0));
  }

  @Override
  public Optional<Name> user(long pid, long address) {
    return Optional.empty();
  }
}
