// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import dev.fathom.base.TargetException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * An unpacked kernel package.
 *
 * @param release what {@code uname -r} says in a guest that runs it
 * @param packageVersion the package file's name, which has the package's version in it
 * @param root the directory with the package's {@code boot} and {@code lib} or {@code usr/lib}
 */
public record LabKernel(String release, String packageVersion, Path root) {
  /** The compressed kernel that QEMU boots. */
  public Path image() {
    return root.resolve("boot/vmlinuz-" + release);
  }

  static LabKernel of(Packages.Unpacked unpacked) {
    try (Stream<Path> files = Files.list(unpacked.root().resolve("boot"))) {
      String prefix = "vmlinuz-";
      String image =
          files
              .map(file -> file.getFileName().toString())
              .filter(name -> name.startsWith(prefix))
              .findFirst()
              .orElseThrow(
                  () -> new TargetException("lab: no kernel in package " + unpacked.version()));
      return new LabKernel(image.substring(prefix.length()), unpacked.version(), unpacked.root());
    } catch (IOException e) {
      throw new TargetException("lab: no kernel in package " + unpacked.version(), e);
    }
  }

  /**
   * The modules wanted and those that they need, each after what it needs: name to its bytes,
   * uncompressed. A module that this kernel has built in, or has not, is left out.
   *
   * @param busybox unpacks modules compressed with xz
   */
  Map<String, byte[]> modules(List<String> wanted, Path busybox) {
    Map<String, Path> all = new HashMap<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = file.getFileName().toString();
        int dot = name.indexOf(".ko");
        if (dot > 0) {
          all.put(name.substring(0, dot).replace('-', '_'), file);
        }
      }
    } catch (IOException e) {
      throw new TargetException("lab: cannot list the modules of " + release, e);
    }
    Map<String, byte[]> loaded = new LinkedHashMap<>();
    for (String name : wanted) {
      load(name, all, loaded, busybox, new ArrayList<>());
    }
    return loaded;
  }

  private static void load(
      String name,
      Map<String, Path> all,
      Map<String, byte[]> loaded,
      Path busybox,
      List<String> above) {
    Path file = all.get(name);
    if (file == null || loaded.containsKey(name) || above.contains(name)) {
      return;
    }
    byte[] bytes = content(file, busybox);
    List<String> path = new ArrayList<>(above);
    path.add(name);
    String needs = new ElfSections(file.toString(), bytes).modinfo("depends").orElse("");
    for (String needed : needs.split(",")) {
      load(needed.replace('-', '_'), all, loaded, busybox, path);
    }
    loaded.put(name, bytes);
  }

  private static byte[] content(Path file, Path busybox) {
    try {
      return file.toString().endsWith(".xz")
          ? Shell.bytes(Path.of("/"), List.of(busybox.toString(), "xzcat", file.toString()))
          : Files.readAllBytes(file);
    } catch (IOException e) {
      throw new TargetException("lab: cannot read " + file, e);
    }
  }
}
