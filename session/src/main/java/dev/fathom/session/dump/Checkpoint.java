// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * How far a dump has come; kept in the unfinished file where the finished one has zeros: {@code
 * char magic[16]; byte fingerprint[32]; i64 numbers[]; i64 crc}, big-endian.
 *
 * @param fingerprint tells dumps of other machines or of another kind
 * @param next the first page that was not handled yet
 * @param limit the number of page frames in the bitmaps
 * @param tables where the format has its tables: kdump's two bitmaps, then its data; ELF's data
 * @param descriptor where the next page descriptor goes
 * @param data where the next page's data goes
 * @param zero where the page of zeros is; 0 when there is none yet
 * @param counts of {@link Tally#counts}
 */
record Checkpoint(
    byte[] fingerprint,
    long next,
    long limit,
    long[] tables,
    long descriptor,
    long data,
    long zero,
    long[] counts) {
  static final int TABLES = 3;

  /** Bytes that it takes. */
  static final int BYTES = 16 + 32 + (2 + TABLES + 3 + Tally.NUMBERS) * 8 + 8;

  private static final byte[] MAGIC = "fathom part 002\n".getBytes(StandardCharsets.US_ASCII);

  byte[] bytes() {
    ByteBuffer b = ByteBuffer.allocate(BYTES);
    b.put(MAGIC).put(fingerprint).putLong(next).putLong(limit);
    for (long table : tables) {
      b.putLong(table);
    }
    b.putLong(descriptor).putLong(data).putLong(zero);
    for (long count : counts) {
      b.putLong(count);
    }
    b.putLong(crc(b.array()));
    return b.array();
  }

  /** What these bytes are; empty when they are no checkpoint. */
  static Optional<Checkpoint> read(byte[] bytes) {
    if (bytes.length < BYTES || !Arrays.equals(bytes, 0, 16, MAGIC, 0, 16)) {
      return Optional.empty();
    }
    ByteBuffer b = ByteBuffer.wrap(bytes);
    if (b.getLong(BYTES - 8) != crc(bytes)) {
      return Optional.empty();
    }
    var fingerprint = new byte[32];
    b.position(16).get(fingerprint);
    long next = b.getLong();
    long limit = b.getLong();
    var tables = new long[TABLES];
    for (int i = 0; i < TABLES; i++) {
      tables[i] = b.getLong();
    }
    long descriptor = b.getLong();
    long data = b.getLong();
    long zero = b.getLong();
    var counts = new long[Tally.NUMBERS];
    for (int i = 0; i < Tally.NUMBERS; i++) {
      counts[i] = b.getLong();
    }
    return Optional.of(
        new Checkpoint(fingerprint, next, limit, tables, descriptor, data, zero, counts));
  }

  private static long crc(byte[] bytes) {
    var crc = new CRC32C();
    crc.update(bytes, 0, BYTES - 8);
    return crc.getValue();
  }
}
