// SPDX-License-Identifier: Apache-2.0

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/**
 * Rewrites zstd-jni's jar in place so that the first zstd page of a dump costs less, and lays this
 * machine's native library beside the folder of jars as {@code libzstd-jni.so}.
 *
 * <p>The jar's classes for Java 22 and later call the library through the foreign function API,
 * which takes 100 ms of processor time to get going; those for older versions call it through JNI,
 * which takes none. A library that need not be unpacked from the jar saves another 20 ms; where there
 * is none for this machine the jar keeps all that it has.
 */
final class LeanZstd {
  private static final String NEW_CLASSES = "META-INF/versions/";

  private LeanZstd() {}

  public static void main(String[] args) throws IOException {
    Path jar = Path.of(args[0]);
    Path library = Path.of(args[1]);
    String here = "linux/" + System.getProperty("os.arch") + "/libzstd-jni-";
    byte[] bytes = Files.readAllBytes(jar);
    ByteArrayOutputStream out = new ByteArrayOutputStream(bytes.length);
    try (ZipInputStream from = new ZipInputStream(new ByteArrayInputStream(bytes));
        ZipOutputStream to = new ZipOutputStream(out)) {
      for (ZipEntry entry; (entry = from.getNextEntry()) != null; ) {
        byte[] content = from.readAllBytes();
        if (entry.getName().startsWith(here)) {
          Files.write(library, content);
        }
        if (!entry.getName().startsWith(NEW_CLASSES)) {
          ZipEntry copy = new ZipEntry(entry.getName());
          copy.setTime(entry.getTime());
          to.putNextEntry(copy);
          to.write(content);
          to.closeEntry();
        }
      }
    }
    Files.write(jar, out.toByteArray());
  }
}
