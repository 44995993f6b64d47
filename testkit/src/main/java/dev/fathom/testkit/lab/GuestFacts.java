// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import dev.fathom.base.BadDataException;
import dev.fathom.base.TargetException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a guest said about itself shortly before its dump was made: the files of its {@code /proc}
 * and {@code /sys}. Each method reads its file when it is called.
 */
public final class GuestFacts {
  private final Path directory;

  /** Facts that the guest's init script collected into this directory. */
  public GuestFacts(Path directory) {
    this.directory = directory;
  }

  /**
   * A thread. A kernel worker's name has what it last worked on appended (since Linux 4.17), which
   * is not in the task's {@code comm}.
   *
   * @param state the letter that {@code /proc} shows
   * @param residentKiB resident memory, 0 for a kernel thread
   */
  public record Task(int tid, int tgid, int parent, char state, long residentKiB, String name) {
    /** Whether the thread is its process's first. */
    public boolean leader() {
      return tid == tgid;
    }
  }

  /** A line of {@code /proc/modules}. */
  public record Module(String name, long size, int references, List<String> users, long address) {}

  /** A line of {@code /proc/kallsyms}; the module is empty for the kernel itself. */
  public record Symbol(long address, char type, String name, Optional<String> module) {}

  /** A section of a loaded module. */
  public record Section(String module, String name, long address) {}

  /** A line of {@code /proc/PID/maps}; the name is empty for anonymous memory. */
  public record Mapping(long start, long end, String permissions, long offset, String name) {}

  /** A range of physical memory; the depth says what range it is in. */
  public record Resource(int depth, long start, long last, String name) {}

  /** One of the guest's files as it is. */
  public String text(String name) {
    try {
      return Files.readString(directory.resolve(name), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new TargetException("lab: the guest did not tell " + name, e);
    }
  }

  /** {@code uname -r}. */
  public String release() {
    return text("release").strip();
  }

  /** {@code /proc/version}. */
  public String version() {
    return text("version").strip();
  }

  /** Every thread but the program that listed them, in the order of {@code /proc}'s names. */
  public List<Task> tasks() {
    List<Task> tasks = new ArrayList<>();
    Map<String, String> status = new HashMap<>();
    for (String line : (text("tasks") + "Name:\n").lines().toList()) {
      int colon = line.indexOf(':');
      if (line.startsWith("Name:") && !status.isEmpty()) {
        Task task = task(status);
        if (!task.name().equals("grep")) {
          tasks.add(task);
        }
        status.clear();
      }
      if (colon > 0) {
        status.put(line.substring(0, colon), line.substring(colon + 1).strip());
      }
    }
    return tasks;
  }

  private Task task(Map<String, String> status) {
    try {
      return new Task(
          Integer.parseInt(status.get("Pid")),
          Integer.parseInt(status.get("Tgid")),
          Integer.parseInt(status.get("PPid")),
          status.get("State").charAt(0),
          Long.parseLong(status.getOrDefault("VmRSS", "0 kB").split(" ")[0]),
          status.get("Name"));
    } catch (NullPointerException | IndexOutOfBoundsException | NumberFormatException e) {
      throw new BadDataException(directory.resolve("tasks").toString(), 0, "says: " + status);
    }
  }

  /** The loaded modules, newest first. */
  public List<Module> modules() {
    return lines(
        "modules",
        line -> {
          String[] part = line.split(" ");
          List<String> users =
              part[3].equals("-")
                  ? List.of()
                  : Stream.of(part[3].split(",")).filter(user -> !user.isEmpty()).toList();
          return new Module(
              part[0], Long.parseLong(part[1]), Integer.parseInt(part[2]), users, address(part[5]));
        });
  }

  /** All symbols, the kernel's and the modules'. */
  public List<Symbol> symbols() {
    return lines(
        "kallsyms",
        line -> {
          String[] part = line.split("[ \t]+");
          Optional<String> module =
              part.length > 3
                  ? Optional.of(part[3].substring(1, part[3].length() - 1))
                  : Optional.empty();
          return new Symbol(
              Long.parseUnsignedLong(part[0], 16), part[1].charAt(0), part[2], module);
        });
  }

  /** The address of a symbol of the kernel itself, when exactly one has this name. */
  public Optional<Long> symbol(String name) {
    List<Symbol> named =
        symbols().stream().filter(s -> s.name().equals(name) && s.module().isEmpty()).toList();
    return named.size() == 1 ? Optional.of(named.getFirst().address()) : Optional.empty();
  }

  /** The sections of the loaded modules. */
  public List<Section> sections() {
    return lines(
        "module_sections",
        line -> {
          String[] part = line.split("[/:]");
          return new Section(part[3], part[5], address(part[6]));
        });
  }

  /** The kernel's log, a line each, with the time in brackets. */
  public List<String> log() {
    return text("dmesg").lines().toList();
  }

  /** The kernel's stack of each thread that has one: lines such as {@code do_wait+0x171/0x310}. */
  public Map<Integer, List<String>> stacks() {
    Map<Integer, List<String>> stacks = new LinkedHashMap<>();
    for (String line : text("stacks").lines().toList()) {
      String[] part = line.split("[/:]", 7);
      try {
        stacks
            .computeIfAbsent(Integer.valueOf(part[4]), key -> new ArrayList<>())
            .add(part[6].substring(part[6].indexOf(' ') + 1));
      } catch (IndexOutOfBoundsException | NumberFormatException e) {
        throw new BadDataException(directory.resolve("stacks").toString(), 0, "is: " + line);
      }
    }
    return stacks;
  }

  /** The processes whose mappings the guest told. */
  public List<Integer> mapped() {
    try (Stream<Path> files = Files.list(directory.resolve("maps"))) {
      return files
          .map(file -> Integer.parseInt(file.getFileName().toString()))
          .sorted()
          .collect(Collectors.toList());
    } catch (IOException e) {
      throw new TargetException("lab: the guest did not tell maps", e);
    }
  }

  /** The mappings of one of {@link #mapped}. */
  public List<Mapping> mappings(int process) {
    return lines(
        "maps/" + process,
        line -> {
          String[] part = line.split(" +", 6);
          String[] range = part[0].split("-");
          return new Mapping(
              Long.parseUnsignedLong(range[0], 16),
              Long.parseUnsignedLong(range[1], 16),
              part[1],
              Long.parseUnsignedLong(part[2], 16),
              part.length > 5 ? part[5] : "");
        });
  }

  /** Physical memory as {@code /proc/iomem} shows it. */
  public List<Resource> memory() {
    return lines(
        "iomem",
        line -> {
          String[] part = line.strip().split(" : ", 2);
          String[] range = part[0].split("-");
          return new Resource(
              (line.length() - line.stripLeading().length()) / 2,
              Long.parseUnsignedLong(range[0], 16),
              Long.parseUnsignedLong(range[1], 16),
              part[1]);
        });
  }

  /** The kernel's build-id in hexadecimal, out of the GNU note in {@code /sys/kernel/notes}. */
  public Optional<String> buildId() {
    ByteBuffer notes =
        ByteBuffer.wrap(text("notes").getBytes(StandardCharsets.ISO_8859_1))
            .order(ByteOrder.LITTLE_ENDIAN);
    while (notes.remaining() >= 12) {
      int nameSize = (notes.getInt() + 3) & ~3;
      int size = notes.getInt();
      int type = notes.getInt();
      int next = notes.position() + nameSize + ((size + 3) & ~3);
      if (nameSize < 0 || size < 0 || next < 0 || next > notes.limit()) {
        return Optional.empty();
      }
      if (type == 3 && nameSize == 4 && notes.getInt(notes.position()) == 0x554e47) {
        byte[] id = new byte[size];
        notes.get(notes.position() + nameSize, id);
        return Optional.of(HexFormat.of().formatHex(id));
      }
      notes.position(next);
    }
    return Optional.empty();
  }

  private static long address(String text) {
    return Long.parseUnsignedLong(text.substring(2), 16);
  }

  private <T> List<T> lines(String name, Function<String, T> parser) {
    List<T> values = new ArrayList<>();
    long offset = 0;
    for (String line : text(name).lines().toList()) {
      try {
        values.add(parser.apply(line));
      } catch (IndexOutOfBoundsException | NumberFormatException e) {
        throw new BadDataException(directory.resolve(name).toString(), offset, "is: " + line);
      }
      offset += line.length() + 1;
    }
    return values;
  }
}
