// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import dev.fathom.base.TargetException;
import dev.fathom.format.flattened.FlattenedBlocks;
import java.io.IOException;
import java.io.OutputStream;

/** A flattened stream, for pipes and for {@code --flattened}. */
final class StreamOutput implements Output {
  private final String name;
  private final OutputStream out;
  private long end;
  private long written;

  StreamOutput(String name, OutputStream out) {
    this.name = name;
    this.out = out;
    put(FlattenedBlocks.header());
  }

  @Override
  public void write(long offset, byte[] bytes, int from, int count) {
    if (count == 0) {
      return;
    }
    put(FlattenedBlocks.block(offset, count));
    put(bytes, from, count);
    end = Math.max(end, offset + count);
  }

  @Override
  public void sync() {}

  @Override
  public void finish(long size) {
    if (end < size) {
      write(size - 1, (byte) 0);
    }
    put(FlattenedBlocks.end());
    try {
      out.flush();
    } catch (IOException e) {
      throw new TargetException(FileOutput.message(name, e), e);
    }
  }

  @Override
  public long written() {
    return written;
  }

  private void put(byte[] bytes) {
    put(bytes, 0, bytes.length);
  }

  private void put(byte[] bytes, int from, int count) {
    try {
      out.write(bytes, from, count);
      written += count;
    } catch (IOException e) {
      throw new TargetException(FileOutput.message(name, e), e);
    }
  }
}
