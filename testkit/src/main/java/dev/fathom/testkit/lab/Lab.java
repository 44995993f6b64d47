// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import dev.fathom.base.TargetException;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Makes dumps of real guests after recipes, and keeps them.
 *
 * <pre>
 * cache/packages/...         unpacked packages, see Packages
 * cache/dumps/NAME-HASH/     a finished recipe: its dumps, "console", "facts/" and "kdump/"
 * cache/dumps/NAME-HASH.lock held while the recipe is made
 * </pre>
 *
 * The cache is {@code $FATHOM_LAB}, or {@code fathom/lab} in the user's cache directory; it is safe
 * to delete. The hash covers the recipe, the kernel package's version and all that the guest is
 * made of, so that an old dump is never taken for a new one. Safe for use by several threads and
 * processes at once: the second waits for what the first makes.
 */
public final class Lab {
  /** One more whenever something that a guest gets changes and {@link #hash} does not see it. */
  private static final int GENERATION = 1;

  private static final String CRASH_MEMORY = "crashkernel=192M";
  private static final Duration BOOT = Duration.ofSeconds(240);
  private static final Duration CRASH = Duration.ofSeconds(600);
  private static final List<String> MODULES =
      List.of(
          "qemu_fw_cfg",
          "virtio_pci",
          "virtio_blk",
          "dummy",
          "loop",
          "tun",
          "bridge",
          "pvpanic_pci",
          "squashfs");

  private static final Pattern VMCORE_SIZE = Pattern.compile("LAB-VMCORE ([0-9]{1,15}) bytes");

  /** File locks are the whole process's; within it this lock comes first. */
  private static final ReentrantLock IN_PROCESS = new ReentrantLock();

  private final Path cache;
  private final Packages packages;
  private final Consumer<String> progress;

  private Lab(Path cache, Consumer<String> progress) {
    this.cache = cache;
    this.packages = new Packages(cache);
    this.progress = progress;
  }

  /** The lab with the user's cache. */
  public static Lab open() {
    return open(defaultCache(), line -> {});
  }

  /**
   * A lab with a cache of its own.
   *
   * @param progress is told, a line at a time, what the lab does when it takes long
   */
  public static Lab open(Path cache, Consumer<String> progress) {
    return new Lab(cache.toAbsolutePath(), progress);
  }

  /** Where the user's cache is, whether it exists or not. */
  public static Path defaultCache() {
    String own = System.getenv().getOrDefault("FATHOM_LAB", "");
    if (!own.isEmpty()) {
      return Path.of(own);
    }
    String caches = System.getenv().getOrDefault("XDG_CACHE_HOME", "");
    Path home =
        caches.isEmpty() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(caches);
    return home.resolve("fathom").resolve("lab");
  }

  /**
   * Debian's cloud kernel of a version, downloaded if need be.
   *
   * @throws TargetException when apt has none
   */
  public LabKernel kernel(String version) {
    return kernel(version, Board.PC);
  }

  /** The same for a machine. */
  public LabKernel kernel(String version, Board board) {
    return locked(
        "linux-" + version + "-" + board.debian(),
        () -> LabKernel.of(packages.kernel(version, board)));
  }

  /**
   * Debian's crash with the debug information of one of the lab's kernels, whose package (280 MB)
   * is downloaded when it is asked for the first time.
   *
   * @throws TargetException when there is no crash, or apt has no such package
   */
  public CrashUtility crash(String version) {
    LabKernel kernel = kernel(version);
    Path program =
        Shell.find("crash")
            .orElseThrow(
                () ->
                    new TargetException(
                        "lab: crash is missing; type: sudo apt-get install -y crash"));
    progress.accept("unpacking the debug information of Linux " + kernel.release());
    Path vmlinux = locked("vmlinux-" + kernel.release(), () -> packages.vmlinux(kernel));
    return new CrashUtility(program, vmlinux);
  }

  /**
   * The files with debug information of some modules of one of the lab's kernels, in the order of
   * their paths, out of the package that {@link #crash} uses.
   *
   * @param modules as the files are named, without {@code .ko}
   * @throws TargetException when apt has no such package, or it has not these modules
   */
  public List<Path> modulesDebug(String version, List<String> modules) {
    LabKernel kernel = kernel(version);
    progress.accept("unpacking the debug information of modules of Linux " + kernel.release());
    return locked(
        "debug-" + String.join("+", modules) + "-" + kernel.release(),
        () -> packages.modulesDebug(kernel, modules));
  }

  /**
   * The dump of a recipe, out of the cache when it was made before.
   *
   * @throws TargetException when something to make it with is missing, or the guest misbehaves
   */
  public LabDump dump(Recipe recipe) {
    LabKernel kernel = kernel(recipe.kernel(), recipe.board());
    String board = recipe.board().isArm() ? recipe.board().debian() + "-" : "";
    String name = recipe.kernel() + "-" + board + recipe.name() + "-" + hash(recipe, kernel);
    Path home = cache.resolve("dumps").resolve(name);
    if (Files.exists(home)) {
      return new LabDump(recipe, home);
    }
    return locked(
        name,
        () -> {
          if (!Files.exists(home)) {
            Path making =
                Files.createTempDirectory(Files.createDirectories(home.getParent()), "new");
            try {
              make(recipe, making);
              Files.move(making, home);
            } finally {
              Trees.delete(making);
            }
          }
          return new LabDump(recipe, home);
        });
  }

  /** Makes a recipe's dump in a directory, without looking for it in the cache or keeping it. */
  public LabDump make(Recipe recipe, Path into) {
    try {
      Files.createDirectories(into);
      LabKernel kernel = kernel(recipe.kernel(), recipe.board());
      progress.accept("starting a guest with Linux " + kernel.release());
      Path work = Files.createTempDirectory(into, "work");
      try {
        List<Path> disks = new ArrayList<>(List.of(disk(work, "facts", 128)));
        if (recipe.kdump()) {
          disks.add(disk(work, "vmcore", recipe.memoryMiB() + 64L));
          disks.add(disk(work, "scratch", 4L * recipe.memoryMiB()));
          disks.add(disk(work, "dumps", 4L * recipe.memoryMiB()));
        }
        Path initramfs = locked("packages", () -> initramfs(recipe, kernel, false, work));
        try (Guest guest =
            Guest.start(
                qemu(recipe.board()),
                kernel.image(),
                initramfs,
                recipe,
                options(recipe),
                disks,
                List.of())) {
          run(recipe, guest, disks, into);
          Files.writeString(
              into.resolve("console"), guest.console().text(), StandardCharsets.ISO_8859_1);
        }
        if (TarReader.unpack(disks.getFirst(), work.resolve("told")).isEmpty()) {
          throw new TargetException("lab: the guest " + recipe.name() + " told no facts");
        }
        Files.move(work.resolve("told/facts"), into.resolve("facts"));
      } finally {
        Trees.delete(work);
      }
      return new LabDump(recipe, into);
    } catch (IOException e) {
      throw new TargetException("lab: cannot make " + recipe.name() + " in " + into, e);
    }
  }

  /**
   * Boots a recipe's guest and leaves it running; neither its fault nor its dumps are made.
   *
   * @param more further arguments for QEMU
   * @throws TargetException when something to make it with is missing, or it does not boot
   */
  public LiveGuest start(Recipe recipe, List<String> more) {
    try {
      LabKernel kernel = kernel(recipe.kernel(), recipe.board());
      Path work = Files.createTempDirectory("fathom-live");
      try {
        Path facts = disk(work, "facts", 128);
        Path initramfs = locked("packages", () -> initramfs(recipe, kernel, true, work));
        boolean again = true;
        while (true) {
          Guest guest =
              Guest.start(
                  qemu(recipe.board()),
                  kernel.image(),
                  initramfs,
                  recipe,
                  options(recipe),
                  List.of(facts),
                  more);
          try {
            guest.await("LAB-READY", BOOT);
            TarReader.unpack(facts, work.resolve("told"));
            return new LiveGuest(guest, work, new GuestFacts(work.resolve("told/facts")));
          } catch (IOException | RuntimeException e) {
            guest.close();
            // QEMU with more CPUs than the host sometimes hangs before the first character.
            if (!again || !guest.console().text().isEmpty()) {
              throw e;
            }
            again = false;
          }
        }
      } catch (IOException | RuntimeException e) {
        Trees.delete(work);
        throw e;
      }
    } catch (IOException e) {
      throw new TargetException("lab: cannot start " + recipe.name(), e);
    }
  }

  /**
   * Debian's User Mode Linux, started and through with its start.
   *
   * @param directory an empty one for its files
   */
  public UserModeLinux userModeLinux(Path directory) {
    return userModeLinux(directory, kernel -> kernel);
  }

  /**
   * The same, of another file.
   *
   * @param changed makes that of the package's
   */
  public UserModeLinux userModeLinux(Path directory, UnaryOperator<Path> changed) {
    Path kernel =
        locked(
            "packages",
            () -> program(packages.program("user-mode-linux", Board.PC), "usr/bin/linux.uml"));
    Path busybox = locked("packages", this::busybox);
    return UserModeLinux.start(changed.apply(kernel), busybox, directory);
  }

  /** The program gdbserver, from Debian's package. */
  public Path gdbserver() {
    return locked("packages", () -> program(packages.tool("gdbserver"), "usr/bin/gdbserver"));
  }

  /**
   * QEMU's program; installed with apt when it is missing and this process may.
   *
   * @throws TargetException with the one command to type when it is missing
   */
  public Path qemu() {
    return qemu(Board.PC);
  }

  private Path qemu(Board board) {
    String program = board.program();
    if (Shell.find(program).isEmpty()) {
      progress.accept("installing " + board.packageName());
      String[] install = {
        "apt-get", "install", "-y", "--no-install-recommends", board.packageName()
      };
      Root.command("apt-get", "update")
          .ifPresent(
              update -> {
                Shell.Result updated = Shell.run(Path.of("/"), update);
                Shell.Result installed =
                    Shell.run(Path.of("/"), Root.command(install).orElseThrow());
                if (!installed.worked()) {
                  progress.accept(updated.output() + installed.output());
                }
              });
    }
    return Shell.find(program)
        .orElseThrow(
            () ->
                new TargetException(
                    "lab: QEMU is missing; type: sudo apt-get install -y " + board.packageName()));
  }

  private void run(Recipe recipe, Guest guest, List<Path> disks, Path into) throws IOException {
    guest.await("LAB-READY", BOOT);
    if (recipe.kdump()) {
      progress.accept("the guest panics and its crash kernel writes dumps");
      if (recipe.fault() == Fault.SYSRQ_IN_INTERRUPT) {
        guest.sysrq('c');
      }
      guest.await("LAB-CRASH-DONE", CRASH);
      guest.awaitEnd(CRASH);
      TarReader.unpack(disks.getLast(), into.resolve("tar"));
      Files.move(into.resolve("tar/dumps"), into.resolve("kdump"));
      Trees.delete(into.resolve("tar"));
      truncate(disks.get(1), guest.console().text());
      sparse(disks.get(1), into.resolve("kdump/vmcore"));
      refilter(into.resolve("kdump"));
      return;
    }
    if (recipe.fault() != Fault.NONE) {
      progress.accept("the guest panics");
      if (recipe.fault() == Fault.SYSRQ_IN_INTERRUPT) {
        guest.sysrq('c');
      }
      guest.await(Console.PANIC_END, Duration.ofSeconds(120));
    }
    guest.stop();
    for (Flavour flavour : recipe.flavours()) {
      if (guest.offers(flavour)) {
        progress.accept("QEMU writes " + flavour.fileName());
        Path whole = into.resolve(flavour.fileName() + ".whole");
        guest.dump(flavour, whole);
        sparse(whole, into.resolve(flavour.fileName()));
        Files.delete(whole);
      }
    }
  }

  /** Cuts the disk with the copy of {@code /proc/vmcore} to the size that the console tells. */
  private static void truncate(Path disk, String console) throws IOException {
    Matcher size = VMCORE_SIZE.matcher(console);
    if (!size.find()) {
      throw new TargetException("lab: the crash kernel did not say how large /proc/vmcore is");
    }
    try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
      file.setLength(Long.parseLong(size.group(1)));
    }
  }

  /** Writes the flavours that take long under emulation: the same program, outside of the guest. */
  private void refilter(Path directory) throws IOException {
    Packages.Unpacked unpacked = packages.tool("makedumpfile");
    String program = program(unpacked, "usr/bin/makedumpfile").toString();
    for (List<String> flavour :
        List.of(
            List.of("lzo-d0", "-l", "-d", "0"),
            List.of("raw-d31", "-d", "31"),
            List.of("elf-d31", "-E", "-d", "31"))) {
      List<String> command = new ArrayList<>(List.of(program));
      command.addAll(flavour.subList(1, flavour.size()));
      command.addAll(List.of("vmcore", flavour.getFirst()));
      Shell.Result result = Shell.run(directory, unpacked.libraries(), command);
      if (!result.worked()) {
        throw new TargetException("lab: makedumpfile: " + result.output().strip());
      }
    }
    byte[] flat =
        Shell.bytes(
            directory, unpacked.libraries(), List.of(program, "-F", "-E", "-d", "31", "vmcore"));
    Files.write(directory.resolve("flat-elf-d31"), flat);
  }

  private static String options(Recipe recipe) {
    StringBuilder options = new StringBuilder();
    options.append("lab.sleeps=").append(recipe.sleeps());
    options.append(" lab.threads=").append(recipe.threads());
    options.append(recipe.spin() ? " lab.spin=1" : "");
    if (recipe.fault() == Fault.SYSRQ) {
      options.append(" lab.fault=sysrq");
    } else if (recipe.fault().inModule()) {
      options.append(" lab.fault=module");
    }
    if (recipe.kdump()) {
      options.append(" lab.crash=1 ").append(CRASH_MEMORY);
    }
    return options.toString();
  }

  /**
   * @param live whether the guest is to do what is typed at its console
   */
  private Path initramfs(Recipe recipe, LabKernel kernel, boolean live, Path work)
      throws IOException {
    Path busybox = busybox();
    Map<String, byte[]> modules = kernel.modules(MODULES, busybox);
    Path file = work.resolve("initramfs");
    Path guests = program(packages.program("busybox-static", recipe.board()), "bin/busybox");
    try (Initramfs root = new Initramfs(file, guests, busybox)) {
      root.program("init", live ? liveInit() : Initramfs.resource("init.sh"));
      root.program("bin/threads", GuestPrograms.threads(recipe.board()));
      root.modules(modules);
      if (recipe.fault().inModule()) {
        root.file(
            "lib/" + FaultModule.NAME + ".ko",
            0644,
            FaultModule.write(recipe.fault(), "dummy", modules.get("dummy")));
      }
      if (recipe.kdump()) {
        Packages.Unpacked kexec = packages.tool("kexec-tools");
        root.linked(program(kexec, "sbin/kexec"), kexec.root());
        root.file("crash/vmlinuz", 0644, Files.readAllBytes(kernel.image()));
        root.file("crash/initrd", 0644, Files.readAllBytes(crashInitramfs(kernel, work)));
      }
    }
    return file;
  }

  /** The first process's script, which goes on as a shell. */
  private static byte[] liveInit() {
    var script = new String(Initramfs.resource("init.sh"), StandardCharsets.UTF_8);
    var live = script.replace("do read line; done", "do read -r line && eval \"$line\"; done");
    if (live.equals(script)) {
      throw new IllegalStateException("init.sh does not end as it used to");
    }
    return live.getBytes(StandardCharsets.UTF_8);
  }

  private Path crashInitramfs(LabKernel kernel, Path work) {
    Path busybox = busybox();
    Packages.Unpacked makedumpfile = packages.tool("makedumpfile");
    Path file = work.resolve("crash-initramfs");
    try (Initramfs root = new Initramfs(file, busybox, busybox)) {
      root.script("init", "crash-init.sh");
      root.modules(kernel.modules(List.of("virtio_pci", "virtio_blk"), busybox));
      root.linked(program(makedumpfile, "usr/bin/makedumpfile"), makedumpfile.root());
    }
    return file;
  }

  private Path busybox() {
    return program(packages.tool("busybox-static"), "bin/busybox");
  }

  private static Path program(Packages.Unpacked from, String path) {
    Path old = from.root().resolve(path);
    Path merged = from.root().resolve("usr").resolve(path);
    if (Files.exists(old)) {
      return old;
    }
    if (Files.exists(merged)) {
      return merged;
    }
    throw new TargetException("lab: the package " + from.version() + " has no " + path);
  }

  private static Path disk(Path work, String name, long mebibytes) throws IOException {
    Path file = work.resolve(name + ".disk");
    try (RandomAccessFile disk = new RandomAccessFile(file.toFile(), "rw")) {
      disk.setLength(mebibytes << 20);
    }
    return file;
  }

  /** Copies a file, leaving out blocks of zeros: most of a guest's memory. */
  private static void sparse(Path from, Path to) throws IOException {
    byte[] block = new byte[1 << 16];
    byte[] zeros = new byte[block.length];
    try (InputStream in = Files.newInputStream(from);
        RandomAccessFile out = new RandomAccessFile(to.toFile(), "rw")) {
      long at = 0;
      for (int n = in.readNBytes(block, 0, block.length);
          n > 0;
          n = in.readNBytes(block, 0, block.length)) {
        if (!Arrays.equals(block, 0, n, zeros, 0, n)) {
          out.seek(at);
          out.write(block, 0, n);
        }
        at += n;
      }
      out.setLength(at);
    }
  }

  private static String hash(Recipe recipe, LabKernel kernel) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      // Recipes had no board once, and dumps of that time are still good.
      String what = recipe.toString().replace("board=PC, ", "");
      digest.update((what + "\n" + kernel.packageVersion()).getBytes(StandardCharsets.UTF_8));
      digest.update(
          (MODULES + CRASH_MEMORY + recipe.board().kernelOptions() + GENERATION)
              .getBytes(StandardCharsets.UTF_8));
      digest.update(Initramfs.resource("init.sh"));
      if (recipe.kdump()) {
        digest.update(Initramfs.resource("crash-init.sh"));
      }
      digest.update(GuestPrograms.threads(recipe.board()));
      return HexFormat.of().formatHex(digest.digest(), 0, 6);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  private interface Work<T> {
    T run() throws IOException;
  }

  private <T> T locked(String name, Work<T> work) {
    IN_PROCESS.lock();
    try {
      Path locks = Files.createDirectories(cache.resolve("dumps"));
      try (FileChannel channel =
              FileChannel.open(
                  locks.resolve(name + ".lock"),
                  StandardOpenOption.CREATE,
                  StandardOpenOption.WRITE);
          FileLock lock = channel.lock()) {
        if (!lock.isValid()) {
          throw new TargetException("lab: cannot lock " + cache);
        }
        return work.run();
      }
    } catch (IOException e) {
      throw new TargetException("lab: cannot use the cache " + cache, e);
    } finally {
      IN_PROCESS.unlock();
    }
  }
}
