// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.replay;

import dev.fathom.base.FathomException;
import dev.fathom.base.TargetException;
import dev.fathom.dtrace.probe.AddressNames;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeContext;
import dev.fathom.trace.Argument;
import dev.fathom.trace.ArgumentType;
import dev.fathom.trace.Frame;
import dev.fathom.trace.TraceThread;
import dev.fathom.trace.Tracepoint;
import dev.fathom.trace.recording.RecordingWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Keeps probes that fire in a recording, so that D over it counts the same: the first arguments,
 * the thread, the CPU, the time and, where wanted, the stack.
 */
public final class Recorder {
  private static final int ARGUMENTS = 6;
  private static final int FRAMES = 64;

  private final RecordingWriter writer;
  private final AddressNames names;
  private final boolean stacks;
  private final Map<Integer, Tracepoint> tracepoints = new HashMap<>();
  private final Set<Long> named = new HashSet<>();

  /**
   * @param stacks whether stacks are kept
   */
  public Recorder(RecordingWriter writer, AddressNames names, boolean stacks) {
    this.writer = writer;
    this.names = names;
    this.stacks = stacks;
  }

  /** Writes the firing of a probe. */
  public void record(Probe probe, ProbeContext context) {
    var tracepoint = tracepoints.computeIfAbsent(probe.id(), _ -> tracepoint(probe));
    long[] frames = stacks ? context.stack(FRAMES) : new long[0];
    for (long frame : frames) {
      name(frame);
    }
    writer.begin(
        tracepoint, context.timestamp(), context.cpu(), thread(context), frames, frames.length);
    for (int i = 0; i < ARGUMENTS; i++) {
      writer.integer(argument(context, i));
    }
    try {
      writer.end();
    } catch (IOException e) {
      throw new TargetException("cannot write the recording: " + e.getMessage());
    }
  }

  private static long argument(ProbeContext context, int index) {
    try {
      return context.argument(index);
    } catch (FathomException _) {
      return 0; // One that is on a stack that cannot be read; few functions have so many.
    }
  }

  private static TraceThread thread(ProbeContext context) {
    try {
      return new TraceThread(context.tid(), OptionalLong.of(context.pid()), context.execname());
    } catch (FathomException _) {
      return new TraceThread(context.thread(), OptionalLong.empty(), "");
    }
  }

  private Tracepoint tracepoint(Probe probe) {
    var name = probe.name();
    var arguments = new ArrayList<Argument>();
    for (int i = 0; i < ARGUMENTS; i++) {
      arguments.add(new Argument("arg" + i, ArgumentType.I64));
    }
    return writer.tracepoint(
        name.provider() + ":" + name.module() + ":" + name.function(), name.name(), "", arguments);
  }

  private void name(long address) {
    if (!named.add(address)) {
      return;
    }
    var known = names.kernel(address);
    if (known.isPresent() && known.get().function().isPresent()) {
      var at = known.get();
      var text =
          at.module()
              + "`"
              + at.function().get()
              + (at.offset() == 0 ? "" : "+0x" + Long.toHexString(at.offset()));
      writer.names(
          address,
          List.of(new Frame(address, Optional.of(text), Optional.empty(), OptionalInt.empty())));
    }
  }
}
