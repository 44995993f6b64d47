// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import dev.fathom.base.TargetException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;

/**
 * Writes the guest's root file system: busybox, programs with their libraries, modules, scripts.
 */
final class Initramfs implements AutoCloseable {
  private final Path file;
  private final CpioWriter cpio;

  /**
   * Begins the file with busybox under all its names.
   *
   * @param busybox the guest's
   * @param own one that runs on this machine and has the same names
   */
  Initramfs(Path file, Path busybox, Path own) {
    this.file = file;
    try {
      cpio = new CpioWriter(new GZIPOutputStream(Files.newOutputStream(file), 1 << 16));
      for (String directory : List.of("proc", "sys", "dev", "tmp", "lib/modules", "sbin")) {
        cpio.directory(directory);
      }
      cpio.file("bin/busybox", 0755, Files.readAllBytes(busybox));
      String names = Shell.run(Path.of("/"), List.of(own.toString(), "--list")).output();
      for (String name : names.lines().toList()) {
        if (!name.equals("busybox")) {
          cpio.symlink("bin/" + name, "busybox");
        }
      }
    } catch (IOException e) {
      throw failed(e);
    }
  }

  /** A file that can be run. */
  void program(String path, byte[] content) {
    file(path, 0755, content);
  }

  void file(String path, int permissions, byte[] content) {
    try {
      cpio.file(path, permissions, content);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  /** A script of this package's resources. */
  void script(String path, String resource) {
    program(path, resource(resource));
  }

  /** Modules, and {@code lib/modules/order} with their names in the order to load them. */
  void modules(Map<String, byte[]> modules) {
    StringBuilder order = new StringBuilder();
    for (Map.Entry<String, byte[]> module : modules.entrySet()) {
      file("lib/modules/" + module.getKey() + ".ko", 0644, module.getValue());
      order.append(module.getKey()).append(".ko\n");
    }
    file("lib/modules/order", 0644, order.toString().getBytes(StandardCharsets.US_ASCII));
  }

  /**
   * A dynamically linked program with the libraries that it needs, as the dynamic linker would find
   * them: first below the package's own root, then on this machine.
   */
  void linked(Path program, Path root) {
    try {
      byte[] content = Files.readAllBytes(program);
      program("bin/" + program.getFileName(), content);
      ElfSections elf = new ElfSections(program.toString(), content);
      if (elf.interpreter().isPresent()) {
        String linker = elf.interpreter().get();
        Path found =
            Files.exists(root.resolve("." + linker)) ? root.resolve("." + linker) : Path.of(linker);
        if (!cpio.contains(linker)) {
          program(linker, Files.readAllBytes(found));
        }
      }
      libraries(elf, program, root);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  @Override
  public void close() {
    try {
      cpio.close();
    } catch (IOException e) {
      throw failed(e);
    }
  }

  static byte[] resource(String name) {
    try (InputStream in = Initramfs.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new TargetException("lab: the resource " + name + " is missing");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new TargetException("lab: cannot read the resource " + name, e);
    }
  }

  private void libraries(ElfSections elf, Path from, Path root) throws IOException {
    for (String library : elf.needed()) {
      String to = "lib/x86_64-linux-gnu/" + library;
      if (!cpio.contains(to)) {
        byte[] content = Files.readAllBytes(library(library, from, root));
        program(to, content);
        libraries(new ElfSections(library, content), from, root);
      }
    }
  }

  private static Path library(String name, Path from, Path root) {
    return found(name, root)
        .or(() -> found(name, Path.of("/")))
        .orElseThrow(() -> new TargetException("lab: " + from + " needs " + name + ", not found"));
  }

  private static Optional<Path> found(String name, Path root) {
    for (String directory :
        List.of("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib64", "lib64")) {
      Path candidate = root.resolve(directory).resolve(name);
      if (Files.exists(candidate)) {
        return Optional.of(candidate);
      }
    }
    return Optional.empty();
  }

  private TargetException failed(IOException e) {
    return new TargetException("lab: cannot write " + file, e);
  }
}
