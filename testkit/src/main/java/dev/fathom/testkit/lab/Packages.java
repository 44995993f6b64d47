// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import dev.fathom.base.TargetException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Debian packages, downloaded with the machine's own apt and unpacked with dpkg into the cache:
 * nothing is installed and no rights are needed. What was unpacked once is used from then on
 * without a network.
 *
 * <pre>
 * packages/KEY/root       in the cache: the unpacked files of a package and, for tools, what it needs
 * packages/KEY/version    the package's name and version; its presence says complete
 * </pre>
 */
final class Packages {
  private static final String HELP_WITH_VERSIONS =
      "; when the archive has a newer version than the lab's cache, delete the cache of the lab";

  /** Debian's releases with kernels that this machine's apt need not know. */
  private static final Map<String, String> RELEASES = Map.of("5.10", "bullseye");

  /** Debian's release with the kernels of other architectures. */
  private static final String USUAL_RELEASE = "bookworm";

  private final Path cache;

  Packages(Path cache) {
    this.cache = cache.resolve("packages");
  }

  /** An unpacked package. */
  record Unpacked(Path root, String version) {
    /** Where a program of this package finds libraries that this machine has not installed. */
    Map<String, String> libraries() {
      return Map.of(
          "LD_LIBRARY_PATH",
          root.resolve("usr/lib/x86_64-linux-gnu") + ":" + root.resolve("lib/x86_64-linux-gnu"));
    }
  }

  /** Debian's cloud kernel of a version such as {@code 6.1}: the newest there is. */
  Unpacked kernel(String version, Board board) {
    return get(
        "linux-" + version + (board.isArm() ? "-" + board.debian() : ""),
        directory -> List.of(kernel(directory, version, board)));
  }

  private static String kernel(Path directory, String version, Board board) throws IOException {
    if (!RELEASES.containsKey(version) && !board.isArm()) {
      return download(directory, newest(version, board, List.of()), List.of());
    }
    Path lists = directory.resolve("apt");
    List<String> options =
        AptRelease.options(lists, RELEASES.getOrDefault(version, USUAL_RELEASE), board.debian());
    String file = download(directory, newest(version, board, options), options);
    Trees.delete(lists);
    return file;
  }

  /** A package of programs for a guest that need nothing else. */
  Unpacked program(String packageName, Board board) {
    return board.isArm()
        ? get(
            packageName + "-" + board.debian(),
            directory -> {
              Path lists = directory.resolve("apt");
              List<String> options = AptRelease.options(lists, USUAL_RELEASE, board.debian());
              String file = download(directory, packageName, options);
              Trees.delete(lists);
              return List.of(file);
            })
        : tool(packageName);
  }

  /** A tool's package with the packages that it depends on and that are not installed here. */
  Unpacked tool(String packageName) {
    return get(
        packageName,
        directory -> {
          String main = download(directory, packageName, List.of());
          if (Shell.find(packageName).isEmpty()) {
            downloadMissingDependencies(directory, packageName);
          }
          List<String> all = new ArrayList<>(debs(directory));
          all.remove(main);
          all.addFirst(main);
          return all;
        });
  }

  /**
   * The kernel with its debug information that belongs to a kernel of the lab, of the same version
   * to the last digit. Nothing else of the package, which is 2 GB large unpacked, is kept.
   */
  Path vmlinux(LabKernel kernel) {
    String file = "usr/lib/debug/boot/vmlinux-" + kernel.release();
    Unpacked unpacked =
        get(
            "vmlinux-" + kernel.release(),
            directory -> List.of(download(directory, debugPackage(kernel), List.of())),
            (directory, deb, root) -> {
              // What dpkg -x does, for one file.
              String script = "dpkg-deb --fsys-tarfile \"$1\" | tar -x -C \"$2\" \"./$3\"";
              return Shell.run(
                  directory, List.of("sh", "-c", script, "sh", deb, root.toString(), file));
            });
    Path vmlinux = unpacked.root().resolve(file);
    if (!Files.isRegularFile(vmlinux)) {
      throw new TargetException("lab: the package " + unpacked.version() + " has no " + file);
    }
    return vmlinux;
  }

  /**
   * The files with debug information of some modules of a kernel of the lab.
   *
   * @param modules their names, as the files have them
   */
  List<Path> modulesDebug(LabKernel kernel, List<String> modules) {
    Unpacked unpacked =
        get(
            "debug-" + String.join("+", modules) + "-" + kernel.release(),
            directory -> List.of(download(directory, debugPackage(kernel), List.of())),
            (directory, deb, root) -> {
              String script =
                  "deb=$1; root=$2; shift 2; dpkg-deb --fsys-tarfile \"$deb\""
                      + " | tar -x -C \"$root\" --wildcards \"$@\"";
              List<String> command =
                  new ArrayList<>(List.of("sh", "-c", script, "sh", deb, root.toString()));
              modules.forEach(module -> command.add("*/" + module + ".ko"));
              return Shell.run(directory, command);
            });
    try (Stream<Path> files = Files.walk(unpacked.root())) {
      List<Path> found = files.filter(Files::isRegularFile).sorted().toList();
      if (found.size() != modules.size()) {
        throw new TargetException(
            "lab: the package " + unpacked.version() + " has not one file for each of " + modules);
      }
      return found;
    } catch (IOException e) {
      throw new TargetException("lab: cannot list the modules of " + kernel.release(), e);
    }
  }

  /** As apt names it: {@code linux-image-6.1.0-50-cloud-amd64-dbg=6.1.176-1}. */
  private static String debugPackage(LabKernel kernel) {
    String[] parts = kernel.packageVersion().replace("%3a", ":").split("_", 3);
    if (parts.length != 3) {
      throw new TargetException("lab: no version in " + kernel.packageVersion());
    }
    return parts[0] + "-dbg=" + parts[1];
  }

  private interface Unpack {
    /** Unpacks a package in a directory into another. */
    Shell.Result run(Path directory, String file, Path root);
  }

  private interface Fetch {
    /** Puts packages into a directory; the file names, the one that counts first. */
    List<String> into(Path directory) throws IOException;
  }

  private Unpacked get(String key, Fetch fetch) {
    return get(
        key,
        fetch,
        (directory, file, root) ->
            Shell.run(directory, List.of("dpkg", "-x", file, root.toString())));
  }

  private Unpacked get(String key, Fetch fetch, Unpack unpack) {
    Path home = cache.resolve(key);
    Path mark = home.resolve("version");
    try {
      if (!Files.exists(mark)) {
        Files.createDirectories(cache);
        Path making = Files.createTempDirectory(cache, key + ".new");
        try {
          List<String> files = fetch.into(making);
          Path root = Files.createDirectory(making.resolve("root"));
          for (String file : files) {
            Shell.Result result = unpack.run(making, file, root);
            if (!result.worked()) {
              throw new TargetException(
                  "lab: cannot unpack " + file + ": " + result.output().strip());
            }
            Files.delete(making.resolve(file));
          }
          Files.writeString(making.resolve("version"), files.getFirst());
          Trees.delete(home);
          Files.move(making, home);
        } finally {
          Trees.delete(making);
        }
      }
      return new Unpacked(home.resolve("root"), Files.readString(mark).strip());
    } catch (IOException e) {
      throw new TargetException("lab: cannot keep package " + key + " in " + cache, e);
    }
  }

  /** The newest signed cloud kernel whose version begins so, of those that apt knows. */
  private static String newest(String version, Board board, List<String> options) {
    String prefix = "linux-image-" + version;
    for (int attempt = 0; ; attempt++) {
      String names = apt(Path.of("/"), "apt-cache", options, "pkgnames", prefix).output();
      Optional<String> found =
          names
              .lines()
              .filter(
                  name -> name.matches("linux-image-[0-9.]+([-+][^-]+)?-cloud-" + board.debian()))
              .filter(name -> !Character.isDigit(name.charAt(prefix.length())))
              .filter(name -> name.charAt(prefix.length()) != '-')
              .max((a, b) -> Arrays.compare(numbers(a), numbers(b)));
      if (found.isPresent()) {
        return found.get();
      }
      if (attempt > 0 || !options.isEmpty() || !update()) {
        throw new TargetException(
            "lab: apt knows no package "
                + prefix
                + "*-cloud-"
                + board.debian()
                + "; the lab needs Debian's sources and: sudo apt-get update");
      }
    }
  }

  private static int[] numbers(String name) {
    return Stream.of(name.split("[^0-9]+"))
        .filter(digits -> !digits.isEmpty() && digits.length() < 9)
        .mapToInt(Integer::parseInt)
        .toArray();
  }

  /** Downloads one package; its file's name. */
  private static String download(Path directory, String name, List<String> options) {
    Shell.Result result = apt(directory, "apt-get", options, "download", name);
    if (!result.worked() && options.isEmpty() && update()) {
      result = apt(directory, "apt-get", options, "download", name);
    }
    List<String> files = debs(directory);
    if (!result.worked() || files.isEmpty()) {
      throw new TargetException(
          "lab: cannot download the package "
              + name
              + ": "
              + result.output().strip()
              + (name.contains("=") ? HELP_WITH_VERSIONS : ""));
    }
    return files.getFirst();
  }

  private static void downloadMissingDependencies(Path directory, String name) {
    Shell.Result result =
        apt(
            directory,
            "apt-get",
            List.of(),
            "install",
            "--download-only",
            "--no-install-recommends",
            "-y",
            "-o",
            "Debug::NoLocking=1",
            "-o",
            "Dir::Cache::archives=" + directory,
            name);
    if (!result.worked()) {
      throw new TargetException(
          "lab: cannot download what " + name + " needs: " + result.output().strip());
    }
  }

  private static Shell.Result apt(
      Path directory, String program, List<String> options, String... arguments) {
    List<String> command = new ArrayList<>(List.of(program));
    command.addAll(options);
    command.addAll(List.of(arguments));
    return Shell.run(directory, command);
  }

  /** Asks apt to learn about newer packages, where this process may. */
  private static boolean update() {
    return Root.command("apt-get", "update")
        .map(command -> Shell.run(Path.of("/"), command).worked())
        .orElse(false);
  }

  private static List<String> debs(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".deb"))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new TargetException("lab: cannot list " + directory, e);
    }
  }
}
