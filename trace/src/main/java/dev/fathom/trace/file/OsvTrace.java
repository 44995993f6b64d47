// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.file;

import dev.fathom.base.ByteSource;
import dev.fathom.base.Loss;
import dev.fathom.format.osvt.OsvArgument;
import dev.fathom.format.osvt.OsvTraceFile;
import dev.fathom.format.osvt.OsvTraceWriter;
import dev.fathom.format.osvt.OsvTracepoint;
import dev.fathom.trace.Argument;
import dev.fathom.trace.ArgumentType;
import dev.fathom.trace.EventCursor;
import dev.fathom.trace.FrameNames;
import dev.fathom.trace.Trace;
import dev.fathom.trace.Tracepoint;
import dev.fathom.trace.text.PrintFormat;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/** A trace that OSv recorded, in either of its formats. The events of its CPUs are merged. */
public final class OsvTrace implements Trace {
  private final String name;
  private final OsvTraceFile file;
  private final List<Tracepoint> tracepoints;
  private final FrameNames names;
  private final Runnable close;

  OsvTrace(ByteSource source, Runnable close) {
    this.name = source.name();
    this.close = close;
    file = OsvTraceFile.open(source);
    var list = new ArrayList<Tracepoint>();
    for (var tracepoint : file.tracepoints()) {
      list.add(tracepoint(list.size(), tracepoint));
    }
    tracepoints = List.copyOf(list);
    names = OsvFrameNames.of(file);
  }

  private static Tracepoint tracepoint(int number, OsvTracepoint from) {
    var names = PrintFormat.names(from.format(), from.arguments().size());
    var arguments = new ArrayList<Argument>();
    for (int i = 0; i < names.size(); i++) {
      arguments.add(new Argument(names.get(i), type(from.arguments().get(i))));
    }
    return new Tracepoint(number, "osv", from.name(), from.format(), arguments);
  }

  private static ArgumentType type(OsvArgument argument) {
    return switch (argument.type()) {
      case CHAR -> ArgumentType.CHAR;
      case I8 -> ArgumentType.I8;
      case U8 -> ArgumentType.U8;
      case I16 -> ArgumentType.I16;
      case U16 -> ArgumentType.U16;
      case I32 -> ArgumentType.I32;
      case U32 -> ArgumentType.U32;
      case I64 -> ArgumentType.I64;
      case U64 -> ArgumentType.U64;
      case BOOL -> ArgumentType.BOOL;
      case F32 -> ArgumentType.F32;
      case F64 -> ArgumentType.F64;
      case POINTER -> ArgumentType.POINTER;
      case STRING -> ArgumentType.STRING;
      case BLOB -> ArgumentType.BYTES;
    };
  }

  /** The file underneath, for what only OSv's traces have. */
  public OsvTraceFile file() {
    return file;
  }

  /** Writes the events, merged, and the tracepoints that have some as a trace file. */
  public void writeTraceFile(OutputStream to) throws IOException {
    var used = new LinkedHashMap<Integer, OsvTracepoint>();
    var events = new OsvCursor(file, tracepoints);
    while (events.next()) {
      used.computeIfAbsent(events.at().tracepoint(), file.tracepoints()::get);
    }
    var writer = new OsvTraceWriter(to, List.copyOf(used.values()));
    events = new OsvCursor(file, tracepoints);
    while (events.next()) {
      var at = events.at();
      writer.event(at, file.tracepoints().get(at.tracepoint()), at.time());
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String format() {
    return switch (file.format()) {
      case TRACE_FILE -> "OSv trace file, version 3";
      case DUMP -> "OSv trace dump";
    };
  }

  @Override
  public List<Tracepoint> tracepoints() {
    return tracepoints;
  }

  @Override
  public EventCursor events() {
    return new OsvCursor(file, tracepoints);
  }

  @Override
  public List<Loss> losses() {
    return List.of();
  }

  @Override
  public FrameNames names() {
    return names;
  }

  @Override
  public void close() {
    close.run();
  }
}
