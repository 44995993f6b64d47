// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import dev.fathom.format.kdump.KdumpHead;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Writes a kdump-compressed file in one pass. While it is unfinished, its second bitmap says which
 * pages are still to come; pages that turn out to be missing are taken out of it, and their page
 * descriptors stay a hole behind the others. Pages of zeros, left out or not, are one shared page,
 * as they are for makedumpfile.
 */
final class KdumpDumpWriter implements DumpWriter {
  private final Output output;
  private final byte[] fingerprint;
  private final int flag;
  private final byte[] zeroPage;
  private final PageSet existing;
  private final PageSet wanted;
  private final Tally tally;
  private final long firstBitmap;
  private final long secondBitmap;
  private final long dataStart;
  private final ByteBuffer descriptors =
      ByteBuffer.allocate(Batch.PAGES * KdumpHead.DESCRIPTOR).order(ByteOrder.LITTLE_ENDIAN);
  private long next;
  private long descriptorAt;
  private long dataAt;
  private long zeroAt;
  private int flushed;

  private KdumpDumpWriter(
      Output output,
      DumpOptions options,
      byte[] zeroPage,
      PageSet existing,
      PageSet wanted,
      Checkpoint from) {
    this.output = output;
    this.fingerprint = from.fingerprint();
    this.flag = options.compression().flag();
    this.zeroPage = zeroPage;
    this.existing = existing;
    this.wanted = wanted;
    this.tally = Tally.of(from.counts());
    this.firstBitmap = from.tables()[0];
    this.secondBitmap = from.tables()[1];
    this.dataStart = from.tables()[2];
    this.next = from.next();
    this.descriptorAt = from.descriptor();
    this.dataAt = from.data();
    this.zeroAt = from.zero();
    this.flushed = (int) (next / PageSet.CHUNK);
  }

  /** Begins a file. */
  static KdumpDumpWriter begin(
      Output output,
      DumpOptions options,
      Machine machine,
      Selection selection,
      byte[] zeroPage,
      byte[] fingerprint) {
    var head =
        new KdumpHead(
            machine.utsname(),
            System.currentTimeMillis() / 1000,
            options.compression().flag(),
            selection.existing().limit(),
            selection.existing().count(0),
            selection.wanted().count(0),
            machine.cpus(),
            machine.physBase(),
            options.level(),
            machine.notes(),
            machine.vmcoreinfo());
    var start =
        new Checkpoint(
            fingerprint,
            0,
            head.maxMapnr(),
            new long[] {head.firstBitmap(), head.secondBitmap(), head.data()},
            head.firstDescriptor(),
            head.data(),
            0,
            new Tally().counts(0));
    var writer =
        new KdumpDumpWriter(
            output, options, zeroPage, selection.existing(), selection.wanted(), start);
    writer.tally.excluded.putAll(selection.excluded());
    output.write(0, head.bytes());
    writer.bitmaps(0, writer.wanted.chunkCount());
    return writer;
  }

  /** Goes on with a file. */
  static KdumpDumpWriter resume(
      FileOutput output, DumpOptions options, byte[] zeroPage, Checkpoint from) {
    var existing = new PageSet(from.limit());
    var wanted = new PageSet(from.limit());
    for (int chunk = 0; chunk < wanted.chunkCount(); chunk++) {
      long at = (long) chunk * PageSet.CHUNK_BYTES;
      existing.bitmap(chunk, output.read(from.tables()[0] + at, PageSet.CHUNK_BYTES));
      wanted.bitmap(chunk, output.read(from.tables()[1] + at, PageSet.CHUNK_BYTES));
    }
    return new KdumpDumpWriter(output, options, zeroPage, existing, wanted, from);
  }

  @Override
  public PageSet wanted() {
    return wanted;
  }

  @Override
  public long existing() {
    return existing.count(0);
  }

  @Override
  public long next() {
    return next;
  }

  @Override
  public Tally tally() {
    return tally;
  }

  @Override
  public void accept(Batch batch) {
    descriptors.clear();
    long batchData = dataAt;
    long at = dataAt;
    for (int i = 0; i < batch.count; i++) {
      long page = batch.pages[i];
      switch (batch.fates[i]) {
        case STORED -> {
          int size = batch.sizes[i];
          descriptor(at, size);
          at += size;
          tally.stored++;
        }
        case ZERO -> {
          tally.zero++;
          if (zeroAt == 0) {
            // In front of this batch's data, which moves.
            zeroAt = batchData;
            output.write(zeroAt, zeroPage);
            batchData += zeroPage.length;
            at += zeroPage.length;
            moveDescriptors(zeroPage.length);
          }
          descriptor(zeroAt, zeroPage.length);
          tally.stored++;
        }
        case MISSING -> {
          wanted.clear(page);
          tally.missing++;
        }
        case UNMAPPED -> {
          wanted.clear(page);
          existing.clear(page);
        }
        case UNREADABLE -> {
          wanted.clear(page);
          tally.unreadable++;
        }
      }
    }
    output.write(batchData, batch.packed, 0, batch.packedBytes);
    output.write(descriptorAt, descriptors.array(), 0, descriptors.position());
    descriptorAt += descriptors.position();
    dataAt = at;
    next = batch.pages[batch.count - 1] + 1;
  }

  private void descriptor(long at, int size) {
    descriptors.putLong(at).putInt(size).putInt(size < Selection.PAGE ? flag : 0).putLong(0);
  }

  private void moveDescriptors(int distance) {
    for (int i = 0; i < descriptors.position(); i += KdumpHead.DESCRIPTOR) {
      descriptors.putLong(i, descriptors.getLong(i) + distance);
    }
  }

  /** Writes the bitmaps of the chunks from {@code from} to before {@code to}. */
  private void bitmaps(int from, int to) {
    for (int chunk = from; chunk < to; chunk++) {
      if (existing.has(chunk)) {
        long at = (long) chunk * PageSet.CHUNK_BYTES;
        output.write(firstBitmap + at, existing.bitmap(chunk));
        output.write(secondBitmap + at, wanted.bitmap(chunk));
      }
    }
  }

  private void flush() {
    int end = (int) Math.min((next + PageSet.CHUNK - 1) / PageSet.CHUNK, wanted.chunkCount());
    bitmaps(flushed, end);
    flushed = (int) (next / PageSet.CHUNK);
  }

  @Override
  public void checkpoint() {
    flush();
    output.sync();
    var now =
        new Checkpoint(
            fingerprint,
            next,
            wanted.limit(),
            new long[] {firstBitmap, secondBitmap, dataStart},
            descriptorAt,
            dataAt,
            zeroAt,
            tally.counts(tally.bytes + output.written()));
    output.write(KdumpHead.SPARE, now.bytes());
  }

  @Override
  public long finish() {
    flush();
    output.write(KdumpHead.SPARE, new byte[Checkpoint.BYTES]);
    return dataAt;
  }
}
