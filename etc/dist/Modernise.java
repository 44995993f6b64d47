// SPDX-License-Identifier: Apache-2.0

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFile.ClassHierarchyResolverOption;
import java.lang.classfile.ClassFile.StackMapsOption;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/**
 * Rewrites jars in place so that classes of Java 5 become classes of Java 8, stack maps included.
 *
 * <p>The JVM keeps no class older than Java 6 in an AOT cache. picocli's are of Java 5: parsing the
 * command line with them costs 60 ms of processor time at every start, and nearly nothing once they
 * are in the cache.
 */
final class Modernise {
  private Modernise() {}

  public static void main(String[] jars) throws IOException {
    for (String jar : jars) {
      Path path = Path.of(jar);
      try (URLClassLoader loader = new URLClassLoader(new URL[] {path.toUri().toURL()}, null)) {
        Files.write(path, rewritten(Files.readAllBytes(path), loader));
      }
    }
  }

  private static byte[] rewritten(byte[] jar, ClassLoader loader) throws IOException {
    ClassFile classFile =
        ClassFile.of(
            StackMapsOption.GENERATE_STACK_MAPS,
            ClassHierarchyResolverOption.of(
                ClassHierarchyResolver.ofClassLoading(loader)
                    .orElse(ClassHierarchyResolver.defaultResolver())));
    ByteArrayOutputStream out = new ByteArrayOutputStream(jar.length);
    try (ZipInputStream from = new ZipInputStream(new ByteArrayInputStream(jar));
        ZipOutputStream to = new ZipOutputStream(out)) {
      for (ZipEntry entry; (entry = from.getNextEntry()) != null; ) {
        byte[] content = from.readAllBytes();
        ZipEntry copy = new ZipEntry(entry.getName());
        copy.setTime(entry.getTime());
        to.putNextEntry(copy);
        to.write(isOldClass(content) ? rewrittenClass(classFile, content) : content);
        to.closeEntry();
      }
    }
    return out.toByteArray();
  }

  /** A class file (magic 0xCAFEBABE) whose major version, at offset 6, is below Java 6's. */
  private static boolean isOldClass(byte[] content) {
    return content.length > 8
        && content[0] == (byte) 0xCA
        && content[1] == (byte) 0xFE
        && content[2] == (byte) 0xBA
        && content[3] == (byte) 0xBE
        && content[6] == 0
        && content[7] < ClassFile.JAVA_6_VERSION;
  }

  private static byte[] rewrittenClass(ClassFile classFile, byte[] content) {
    ClassTransform version =
        (builder, element) -> {
          if (element instanceof ClassFileVersion) {
            builder.withVersion(ClassFile.JAVA_8_VERSION, 0);
          } else {
            builder.with(element);
          }
        };
    // Copying every instruction makes the library write each method's code, and so its stack map, anew.
    ClassTransform code =
        ClassTransform.transformingMethodBodies(CodeTransform.endHandler(builder -> {}));
    return classFile.transformClass(classFile.parse(content), version.andThen(code));
  }
}
