// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import dev.fathom.base.TargetException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;

/**
 * A file that has its name only when it is whole: until then it is called {@code NAME.part}. Memory
 * has secrets in it, so that only the user may read it. A part that cannot be gone on with goes
 * away.
 */
final class FileOutput implements Output, AutoCloseable {
  private final Path file;
  private final Path part;
  private final FileChannel channel;
  private long written;
  private boolean stays;

  private FileOutput(Path file, Path part, FileChannel channel, boolean stays) {
    this.stays = stays;
    this.file = file;
    this.part = part;
    this.channel = channel;
  }

  /** The name of {@code file} until it is whole. */
  static Path part(Path file) {
    return file.resolveSibling(file.getFileName() + ".part");
  }

  /**
   * Opens the file.
   *
   * @param resume whether there is a part to go on with; else a new one is begun
   * @throws TargetException when a file is in the way, or another process writes it
   */
  static FileOutput open(Path file, boolean resume, boolean force) {
    Path part = part(file);
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      throw new TargetException(file + ": is no regular file; -o - writes a stream");
    }
    if (Files.exists(file) && !force) {
      throw new TargetException(file + ": is there already; -f replaces it");
    }
    if (!resume && Files.exists(part) && !force) {
      throw new TargetException(
          part
              + ": is there from an interrupted dump; fathom dump --resume goes on with it, -f"
              + " starts again");
    }
    if (resume && !Files.exists(part)) {
      throw new TargetException(part + ": no such file, so that there is nothing to resume");
    }
    try {
      var options =
          EnumSet.of(StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
      var mode = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
      FileChannel channel = FileChannel.open(part, Set.copyOf(options), mode);
      lock(part, channel);
      if (!resume) {
        channel.truncate(0);
      }
      return new FileOutput(file, part, channel, resume);
    } catch (IOException e) {
      throw new TargetException(message(part.toString(), e), e);
    }
  }

  private static void lock(Path part, FileChannel channel) throws IOException {
    boolean mine;
    try {
      mine = channel.tryLock() != null;
    } catch (OverlappingFileLockException _) {
      mine = false; // This process writes it already.
    }
    if (!mine) {
      channel.close();
      throw new TargetException(part + ": another dump is just being written to it");
    }
  }

  /** One line for a file that failed. */
  static String message(String name, IOException e) {
    if (e instanceof NoSuchFileException) {
      return name + ": no such folder";
    }
    String reason =
        e instanceof FileSystemException f && f.getReason() != null
            ? f.getReason()
            : String.valueOf(e.getMessage());
    return name + ": " + reason;
  }

  /** From now on the part can be gone on with, so that it stays where it does not get whole. */
  void stays() {
    stays = true;
  }

  /** The stream of a flattened file. */
  StreamOutput flattened() {
    return new StreamOutput(part.toString(), Channels.newOutputStream(channel));
  }

  /** Bytes of the part that is gone on with. */
  byte[] read(long offset, int count) {
    var buffer = ByteBuffer.allocate(count);
    try {
      while (buffer.hasRemaining()) {
        if (channel.read(buffer, offset + buffer.position()) < 0) {
          break; // Beyond its end it is zeros, as a hole is.
        }
      }
      return buffer.array();
    } catch (IOException e) {
      throw new TargetException(message(part.toString(), e), e);
    }
  }

  @Override
  public void write(long offset, byte[] bytes, int from, int count) {
    var buffer = ByteBuffer.wrap(bytes, from, count);
    long at = offset;
    try {
      while (buffer.hasRemaining()) {
        at += channel.write(buffer, at);
      }
      written += count;
    } catch (IOException e) {
      throw new TargetException(message(part.toString(), e), e);
    }
  }

  @Override
  public void sync() {
    try {
      channel.force(false);
    } catch (IOException e) {
      throw new TargetException(message(part.toString(), e), e);
    }
  }

  @Override
  public void finish(long size) {
    try {
      if (channel.size() < size) {
        write(size - 1, (byte) 0);
      }
    } catch (IOException e) {
      throw new TargetException(message(part.toString(), e), e);
    }
  }

  @Override
  public long written() {
    return written;
  }

  /** Gives the whole file its name, for good. */
  void commit() {
    try {
      channel.force(true);
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      stays = true;
      Path folder = file.toAbsolutePath().getParent();
      try (var directory = FileChannel.open(folder, StandardOpenOption.READ)) {
        directory.force(true);
      }
    } catch (IOException e) {
      throw new TargetException(message(part.toString(), e), e);
    }
  }

  @Override
  public void close() {
    try (channel) {
      if (!stays) {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      throw new TargetException(message(part.toString(), e), e);
    }
  }
}
