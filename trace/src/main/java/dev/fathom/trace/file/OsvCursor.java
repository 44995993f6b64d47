// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.file;

import dev.fathom.format.osvt.OsvEvents;
import dev.fathom.format.osvt.OsvTraceFile;
import dev.fathom.trace.EventCursor;
import dev.fathom.trace.TraceThread;
import dev.fathom.trace.Tracepoint;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.OptionalLong;

/**
 * Merges the buffers of the CPUs by time: of the events that the buffers are at, the earliest is
 * next, of equal ones that of the buffer that stands first in the file.
 */
public final class OsvCursor implements EventCursor {
  private static final int THREADS = 1 << 10;

  private final Tracepoint[] tracepoints;

  /** Buffers that have an event, a heap; the first is the one that the cursor is at. */
  private final OsvEvents[] heap;

  private final int[] order;
  private int size;
  private boolean started;

  private final TraceThread[] threads = new TraceThread[THREADS];
  private final long[] nameStarts = new long[THREADS];
  private final long[] nameRests = new long[THREADS];

  OsvCursor(OsvTraceFile file, List<Tracepoint> tracepoints) {
    this.tracepoints = tracepoints.toArray(Tracepoint[]::new);
    heap = new OsvEvents[file.buffers()];
    order = new int[file.buffers()];
    for (int i = 0; i < heap.length; i++) {
      heap[i] = file.events(i);
      order[i] = i;
    }
  }

  @Override
  public boolean next() {
    if (!started) {
      started = true;
      start();
      return size > 0;
    }
    if (size == 0) {
      return false;
    }
    if (!heap[0].next()) {
      size--;
      swap(0, size);
    }
    if (size > 1) {
      sink(0);
    }
    return size > 0;
  }

  private void start() {
    for (int i = 0; i < heap.length; i++) {
      if (heap[i].next()) {
        swap(size, i);
        size++;
      }
    }
    for (int i = size / 2 - 1; i >= 0; i--) {
      sink(i);
    }
  }

  private void sink(int from) {
    int at = from;
    while (true) {
      int least = at;
      int left = 2 * at + 1;
      if (left < size && before(left, least)) {
        least = left;
      }
      if (left + 1 < size && before(left + 1, least)) {
        least = left + 1;
      }
      if (least == at) {
        return;
      }
      swap(at, least);
      at = least;
    }
  }

  private boolean before(int a, int b) {
    int compared = Long.compareUnsigned(heap[a].time(), heap[b].time());
    return compared != 0 ? compared < 0 : order[a] < order[b];
  }

  private void swap(int a, int b) {
    var events = heap[a];
    heap[a] = heap[b];
    heap[b] = events;
    int place = order[a];
    order[a] = order[b];
    order[b] = place;
  }

  /** The buffer that has the event, for what only OSv's traces have. */
  public OsvEvents at() {
    return heap[0];
  }

  @Override
  public Tracepoint tracepoint() {
    return tracepoints[heap[0].tracepoint()];
  }

  @Override
  public long time() {
    return heap[0].time();
  }

  @Override
  public int cpu() {
    return heap[0].cpu();
  }

  @Override
  public long threadId() {
    return heap[0].thread();
  }

  @Override
  public TraceThread thread() {
    var events = heap[0];
    long id = events.thread();
    long start = events.nameStart();
    long rest = events.nameRest();
    int slot = (int) (((id ^ start ^ rest) * 0x9e3779b97f4a7c15L) >>> 54);
    var known = threads[slot];
    if (known == null || known.id() != id || nameStarts[slot] != start || nameRests[slot] != rest) {
      known = new TraceThread(id, OptionalLong.empty(), events.threadName());
      threads[slot] = known;
      nameStarts[slot] = start;
      nameRests[slot] = rest;
    }
    return known;
  }

  @Override
  public int frames() {
    return heap[0].frames();
  }

  @Override
  public long frame(int place) {
    return heap[0].frame(place);
  }

  @Override
  public long integer(int argument) {
    return heap[0].integer(argument);
  }

  @Override
  public double real(int argument) {
    return heap[0].real(argument);
  }

  @Override
  public int length(int argument) {
    return heap[0].length(argument);
  }

  @Override
  public String text(int argument) {
    return heap[0].text(argument);
  }

  @Override
  public byte[] bytes(int argument) {
    return heap[0].bytes(argument).toArray(ValueLayout.JAVA_BYTE);
  }
}
