// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.index;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * A folder of files, each with a few arrays of numbers. The folder may be deleted at any time and
 * used by several processes at once: a file appears complete, by renaming, and is never changed
 * afterwards. When all files together grow above a limit, those that were not used for longest are
 * deleted.
 *
 * <pre>
 *   file   u64 magic, u32 crc of all that follows, u32 count of arrays, u64 fingerprint, count x u32 length, the arrays
 * </pre>
 *
 * All numbers are little-endian. The fingerprint is the caller's, of what the arrays were computed
 * from.
 */
public final class IndexFolder {
  /** How much space all files together may take, in bytes: the tables of some 30 kernels. */
  public static final long DEFAULT_LIMIT = 96L << 20;

  private static final long MAGIC = 0x315844494d485446L; // FTHMIDX1
  private static final int HEADER_LENGTH = 24;
  private static final int CHECKED_FROM = 12;
  private static final long HOUR = 3_600_000;
  private static final long DAY = 24 * HOUR;
  private static final int MAX_ARRAYS = 16;
  private static final String SUFFIX = ".index";
  private static final String UNFINISHED = ".tmp";

  private final Path folder;
  private final long limit;
  private final Clock clock;
  private Optional<String> problem = Optional.empty();

  /**
   * @param folder need not exist yet
   * @param limit how many bytes all files together may take
   */
  public IndexFolder(Path folder, long limit) {
    this(folder, limit, Files::setLastModifiedTime);
  }

  /** With another way to set a file's time, which may be refused. */
  IndexFolder(Path folder, long limit, Clock clock) {
    this.folder = folder;
    this.limit = limit;
    this.clock = clock;
  }

  /** Sets the time at which a file was used last. */
  interface Clock {
    void used(Path path, FileTime time) throws IOException;
  }

  /**
   * What last went wrong, for those who wonder; a folder that cannot be written to is no error, and
   * what is in it is used.
   */
  public Optional<String> problem() {
    return problem;
  }

  /**
   * The arrays stored under {@code name}, if they are there, undamaged, and were computed from what
   * has {@code fingerprint}.
   */
  public Optional<int[][]> load(String name, long fingerprint) {
    var path = folder.resolve(name + SUFFIX);
    try {
      if (Files.size(path) > limit) {
        return Optional.empty();
      }
      var arrays = decode(Files.readAllBytes(path), fingerprint);
      if (arrays.isPresent()) {
        markUsed(path);
      }
      return arrays;
    } catch (NoSuchFileException e) {
      return Optional.empty(); // the normal case the first time
    } catch (IOException e) {
      problem = Optional.of(path + ": " + e.getMessage());
      return Optional.empty();
    }
  }

  private static Optional<int[][]> decode(byte[] bytes, long fingerprint) {
    if (bytes.length < HEADER_LENGTH) {
      return Optional.empty();
    }
    var in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int count = in.getInt(12);
    if (in.getLong(0) != MAGIC
        || in.getInt(8) != checksum(bytes)
        || count < 0
        || count > MAX_ARRAYS
        || in.getLong(16) != fingerprint
        || bytes.length < HEADER_LENGTH + 4 * count) {
      return Optional.empty();
    }
    var arrays = new int[count][];
    int at = HEADER_LENGTH + 4 * count;
    for (int i = 0; i < count; i++) {
      int length = in.getInt(HEADER_LENGTH + 4 * i);
      if (length < 0 || length > (bytes.length - at) / 4) {
        return Optional.empty();
      }
      arrays[i] = new int[length];
      in.position(at);
      in.asIntBuffer().get(arrays[i]);
      at += 4 * length;
    }
    return Optional.of(arrays);
  }

  private static int checksum(byte[] bytes) {
    var crc = new CRC32();
    crc.update(bytes, CHECKED_FROM, bytes.length - CHECKED_FROM);
    return (int) crc.getValue();
  }

  /** Keeps a file young for the eviction; once a day is enough. */
  private void markUsed(Path path) {
    long now = System.currentTimeMillis();
    try {
      if (Files.getLastModifiedTime(path).toMillis() < now - DAY) {
        clock.used(path, FileTime.fromMillis(now));
      }
    } catch (IOException e) {
      problem = Optional.of(path + ": " + e.getMessage());
    }
  }

  /** Stores arrays under {@code name}. When that fails, {@link #problem} says why. */
  public void store(String name, long fingerprint, int[]... arrays) {
    byte[] bytes = encode(fingerprint, arrays);
    if (bytes.length > limit) {
      problem = Optional.of(name + ": " + bytes.length + " bytes are above the limit of " + limit);
      return;
    }
    try {
      Files.createDirectories(folder);
      makeRoom(bytes.length);
      var unfinished = Files.createTempFile(folder, name, UNFINISHED);
      try {
        Files.write(unfinished, bytes);
        Files.move(
            unfinished,
            folder.resolve(name + SUFFIX),
            StandardCopyOption.ATOMIC_MOVE,
            StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(unfinished);
      }
    } catch (IOException e) {
      problem = Optional.of(folder + ": " + e.getMessage());
    }
  }

  private static byte[] encode(long fingerprint, int[][] arrays) {
    int length = HEADER_LENGTH;
    for (int[] array : arrays) {
      length += 4 + 4 * array.length;
    }
    var bytes = new byte[length];
    var out = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    out.putLong(MAGIC).putInt(0).putInt(arrays.length).putLong(fingerprint);
    for (int[] array : arrays) {
      out.putInt(array.length);
    }
    for (int[] array : arrays) {
      out.asIntBuffer().put(array);
      out.position(out.position() + 4 * array.length);
    }
    out.putInt(8, checksum(bytes));
    return bytes;
  }

  private record Stored(Path path, long size, FileTime used) {}

  /** Deletes what was not used for longest until {@code wanted} bytes more are within the limit. */
  private void makeRoom(long wanted) throws IOException {
    var stored = new ArrayList<Stored>();
    long total = wanted;
    for (var path : files()) {
      try {
        var file = new Stored(path, Files.size(path), Files.getLastModifiedTime(path));
        if (!path.toString().endsWith(UNFINISHED)) {
          stored.add(file);
          total += file.size;
        } else if (file.used.toMillis() < System.currentTimeMillis() - HOUR) {
          Files.deleteIfExists(path); // of a process that was killed
        }
      } catch (NoSuchFileException e) {
        continue; // another process made room
      }
    }
    stored.sort(Comparator.comparing(Stored::used));
    for (var oldest : stored) {
      if (total <= limit) {
        return;
      }
      Files.deleteIfExists(oldest.path);
      total -= oldest.size;
    }
  }

  private List<Path> files() throws IOException {
    try (var paths = Files.newDirectoryStream(folder, "*{" + SUFFIX + "," + UNFINISHED + "}")) {
      var files = new ArrayList<Path>();
      paths.forEach(files::add);
      return files;
    }
  }
}
