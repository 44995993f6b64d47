// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.replay;

import dev.fathom.base.UnsupportedException;
import dev.fathom.dtrace.ir.Stmt;
import dev.fathom.dtrace.probe.ProbeContext;
import dev.fathom.dtrace.probe.TracedFile;
import dev.fathom.model.Layout;
import dev.fathom.model.Memory;
import dev.fathom.trace.EventCursor;
import dev.fathom.trace.TraceThread;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The event that a cursor stands at, as a firing; or a moment of the trace's clock. */
final class EventContext implements ProbeContext {
  static final Layout LAYOUT = new Layout(ByteOrder.LITTLE_ENDIAN, 8);

  private final EventCursor cursor;
  private final EventMemory memory = new EventMemory(this);

  /** Whether there is an event: not at {@code BEGIN}, {@code END} and {@code tick}. */
  private boolean atEvent;

  private long time;

  EventContext(EventCursor cursor) {
    this.cursor = cursor;
  }

  /** From here on it is what the cursor stands at. */
  void event() {
    atEvent = true;
    time = cursor.time();
  }

  /** From here on it is a moment at which nothing happened. */
  void moment(long nanos) {
    atEvent = false;
    time = nanos;
  }

  private TraceThread at() {
    return cursor.thread();
  }

  boolean isText(int argument) {
    return atEvent
        && argument >= 0
        && argument < cursor.tracepoint().arguments().size()
        && cursor.tracepoint().arguments().get(argument).type().varying();
  }

  byte[] bytes(int argument) {
    return cursor.bytes(argument);
  }

  @Override
  public int cpu() {
    return atEvent && cursor.cpu() >= 0 ? cursor.cpu() : 0;
  }

  @Override
  public long thread() {
    return atEvent ? cursor.threadId() : -1;
  }

  @Override
  public long timestamp() {
    return time;
  }

  @Override
  public long vtimestamp() {
    throw new UnsupportedException("vtimestamp was not recorded");
  }

  @Override
  public long walltimestamp() {
    return time;
  }

  @Override
  public long argument(int index) {
    if (!atEvent || index >= cursor.tracepoint().arguments().size()) {
      return 0;
    }
    return isText(index) ? EventMemory.address(index) : cursor.integer(index);
  }

  @Override
  public long register(int index) {
    throw new UnsupportedException("registers were not recorded");
  }

  @Override
  public long pid() {
    return atEvent ? at().process().orElse(cursor.threadId()) : 0;
  }

  @Override
  public long tid() {
    return atEvent ? cursor.threadId() : 0;
  }

  @Override
  public long ppid() {
    throw new UnsupportedException("ppid was not recorded");
  }

  @Override
  public long uid() {
    throw new UnsupportedException("uid was not recorded");
  }

  @Override
  public long gid() {
    throw new UnsupportedException("gid was not recorded");
  }

  @Override
  public String execname() {
    return atEvent
        ? new String(at().name().getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1)
        : "";
  }

  private static UnsupportedException notRecorded(String what) {
    return new UnsupportedException(what + " was not recorded");
  }

  @Override
  public String cwd() {
    throw notRecorded("the working directory");
  }

  @Override
  public String root() {
    throw notRecorded("the root directory");
  }

  @Override
  public String execargs() {
    throw notRecorded("the command line");
  }

  @Override
  public String arguments(long thread) {
    throw notRecorded("the command line");
  }

  @Override
  public Optional<TracedFile> file(long descriptor) {
    throw notRecorded("what is open");
  }

  @Override
  public long fileObject(long descriptor) {
    throw notRecorded("what is open");
  }

  @Override
  public Optional<TracedFile> fileOfPage(long page) {
    throw notRecorded("what pages hold");
  }

  @Override
  public long curthread() {
    return tid();
  }

  @Override
  public long errno() {
    throw new UnsupportedException("errno was not recorded");
  }

  @Override
  public long ipl() {
    return 0;
  }

  @Override
  public long caller() {
    return atEvent && cursor.frames() > 1 ? cursor.frame(1) : 0;
  }

  @Override
  public long ucaller() {
    return 0;
  }

  @Override
  public long[] stack(int frames) {
    int count = atEvent ? Math.min(frames, cursor.frames()) : 0;
    var pcs = new long[count];
    for (int i = 0; i < count; i++) {
      pcs[i] = cursor.frame(i);
    }
    return pcs;
  }

  @Override
  public long[] ustack(int frames) {
    return new long[0];
  }

  @Override
  public Memory kernel() {
    return memory;
  }

  @Override
  public Memory user() {
    return memory;
  }

  @Override
  public boolean progenyOf(long pid) {
    return pid() == pid;
  }

  @Override
  public String path(long address) {
    throw new UnsupportedException("paths were not recorded");
  }

  @Override
  public void copyOut(long userAddress, byte[] bytes) {
    throw new UnsupportedException("a recording is not written to");
  }

  @Override
  public void destroy(Stmt.Destruction what, long argument) {
    throw new UnsupportedException("a recording cannot be changed");
  }
}
