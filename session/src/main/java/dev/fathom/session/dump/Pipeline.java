// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import dev.fathom.base.Readability;
import dev.fathom.format.compress.Compressor;
import dev.fathom.format.compress.Lzo1xCompressor;
import dev.fathom.format.compress.SnappyCompressor;
import dev.fathom.format.compress.ZlibCompressor;
import dev.fathom.format.compress.ZstdCompressor;
import dev.fathom.model.Memory;
import dev.fathom.session.dump.Batch.Fate;
import dev.fathom.session.dump.DumpOptions.Compression;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Reads pages on the calling thread, has them compressed by as many others as there are CPUs, and
 * hands them over on the calling thread in order. Holds two batches for each CPU and two more.
 */
final class Pipeline implements AutoCloseable {
  /** Takes batches in order. */
  interface Sink {
    void accept(Batch batch);
  }

  private final Memory memory;
  private final ExecutorService workers;
  private final BlockingQueue<Compressor> compressors;
  private final List<Compressor> made = new ArrayList<>();
  private final int window;

  Pipeline(Memory memory, Compression compression) {
    this.memory = memory;
    int count = Math.max(1, Runtime.getRuntime().availableProcessors());
    this.window = 2 * count + 2;
    this.workers =
        Executors.newFixedThreadPool(
            count, Thread.ofPlatform().daemon().name("dump-", 0).factory());
    this.compressors = new ArrayBlockingQueue<>(count);
    for (int i = 0; i < count; i++) {
      made.add(compressor(compression));
    }
    compressors.addAll(made);
  }

  private static Compressor compressor(Compression compression) {
    return switch (compression) {
      case NONE -> new Stored();
      case ZLIB -> new ZlibCompressor();
      case LZO -> new Lzo1xCompressor();
      case SNAPPY -> new SnappyCompressor();
      case ZSTD -> new ZstdCompressor();
    };
  }

  /** Does not compress. */
  private static final class Stored implements Compressor {
    @Override
    public int compress(byte[] input, int from, int to, byte[] output, int at) {
      return to - from;
    }

    @Override
    public void close() {}
  }

  /** What {@code page} becomes, compressed. */
  byte[] packed(byte[] page) {
    var batch = new Batch();
    batch.count = 1;
    batch.fates[0] = Fate.STORED;
    System.arraycopy(page, 0, batch.raw, 0, page.length);
    batch.pack(made.getFirst());
    return java.util.Arrays.copyOf(batch.packed, batch.packedBytes);
  }

  /** Runs over the pages of {@code wanted} from {@code first} on. */
  void run(PageSet wanted, long first, Sink sink) {
    var underway = new ArrayDeque<Future<Batch>>();
    var idle = new ArrayDeque<Batch>();
    long next = wanted.next(first);
    try {
      while (next < wanted.limit() || !underway.isEmpty()) {
        while (next < wanted.limit() && underway.size() < window) {
          Batch batch = idle.isEmpty() ? new Batch() : idle.pop();
          next = fill(batch, wanted, next);
          underway.add(workers.submit(() -> work(batch)));
        }
        Batch done = underway.remove().get();
        sink.accept(done);
        idle.push(done);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while compressing", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("a page could not be compressed", e.getCause());
    }
  }

  private Batch work(Batch batch) throws InterruptedException {
    batch.sift();
    Compressor compressor = compressors.take();
    try {
      batch.pack(compressor);
    } finally {
      compressors.add(compressor);
    }
    return batch;
  }

  /** Reads the next pages; returns the page to go on with. */
  private long fill(Batch batch, PageSet wanted, long first) {
    var all = MemorySegment.ofArray(batch.raw);
    batch.count = 0;
    long page = first;
    while (page < wanted.limit() && batch.count < Batch.PAGES) {
      int run = 1;
      while (batch.count + run < Batch.PAGES
          && page + run < wanted.limit()
          && wanted.get(page + run)) {
        run++;
      }
      read(batch, all, page, run);
      page = wanted.next(page + run);
    }
    return page;
  }

  private void read(Batch batch, MemorySegment all, long first, int run) {
    int done = 0;
    while (done < run) {
      long from = (long) batch.count * Selection.PAGE;
      long bytes = (long) (run - done) * Selection.PAGE;
      int got = memory.read((first + done) << Selection.SHIFT, all.asSlice(from, bytes));
      int whole = got / Selection.PAGE;
      for (int i = 0; i < whole; i++) {
        add(batch, first + done + i, Fate.STORED);
      }
      done += whole;
      if (done < run) {
        add(batch, first + done, fate((first + done) << Selection.SHIFT, got % Selection.PAGE));
        done++;
      }
    }
  }

  /** Why the page at {@code address} was not read whole; a part of one is none. */
  private Fate fate(long address, int part) {
    Readability why = memory.at(address + part);
    return switch (why) {
      case NOT_PRESENT, NOT_DUMPED -> Fate.MISSING;
      case UNMAPPED -> part > 0 ? Fate.MISSING : Fate.UNMAPPED;
      case READABLE, ERROR, OPTIMISED_OUT, NOT_SAVED -> Fate.UNREADABLE;
    };
  }

  private static void add(Batch batch, long page, Fate fate) {
    batch.pages[batch.count] = page;
    batch.fates[batch.count++] = fate;
  }

  @Override
  public void close() {
    workers.shutdownNow();
    try {
      if (workers.awaitTermination(1, TimeUnit.MINUTES)) {
        made.forEach(Compressor::close);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
