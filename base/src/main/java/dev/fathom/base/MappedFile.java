// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A whole file, mapped read-only. Nothing is read before it is used; closing unmaps it. */
public final class MappedFile implements ByteSource, AutoCloseable {
  private final Arena arena;
  private final SegmentSource bytes;

  private MappedFile(Arena arena, SegmentSource bytes) {
    this.arena = arena;
    this.bytes = bytes;
  }

  /**
   * Maps the file at {@code path}.
   *
   * @throws TargetException when it does not exist, is no regular file, or cannot be read
   */
  public static MappedFile open(Path path) {
    if (Files.isDirectory(path)) {
      throw new TargetException(path + ": is a directory, expected a file");
    }
    if (!Files.isRegularFile(path) && Files.exists(path)) {
      // Opening a pipe would wait for its writer; a device has no size.
      throw new TargetException(path + ": is a pipe, socket or device, expected a regular file");
    }
    var arena = Arena.ofShared();
    try (var channel = FileChannel.open(path, StandardOpenOption.READ)) {
      MemorySegment map = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      return new MappedFile(arena, new SegmentSource(path.toString(), map));
    } catch (NoSuchFileException e) {
      arena.close();
      throw new TargetException(path + ": no such file", e);
    } catch (IOException | UnsupportedOperationException e) {
      arena.close();
      throw new TargetException(path + ": cannot be read: " + e.getMessage(), e);
    }
  }

  @Override
  public String name() {
    return bytes.name();
  }

  @Override
  public long size() {
    return bytes.size();
  }

  @Override
  public MemorySegment slice(long offset, long length) {
    return bytes.slice(offset, length);
  }

  @Override
  public void copy(long offset, long length, MemorySegment into, long at) {
    bytes.copy(offset, length, into, at);
  }

  @Override
  public void close() {
    arena.close();
  }
}
