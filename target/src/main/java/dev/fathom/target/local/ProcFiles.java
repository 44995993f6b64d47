// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.local;

import dev.fathom.base.BadDataException;
import dev.fathom.base.Range;
import dev.fathom.base.TargetException;
import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.OpenFile;
import dev.fathom.target.ProcessView.Mapped;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** What {@code /proc/PID} of this host says of a process (proc(5)), read anew at each call. */
public final class ProcFiles {
  /** Bounds on what is taken of a file: a process can have 65530 mappings unless told otherwise. */
  private static final int FILE_LIMIT = 64 << 20;

  private static final int MAPPING_LIMIT = 1 << 20;
  private static final int THREAD_LIMIT = 1 << 20;
  private static final int ARGUMENT_LIMIT = 1 << 16;
  private static final int AUXILIARY_LIMIT = 256;

  /** Fields of {@code stat} after the name, which may hold anything, counted from 0. */
  private static final int STATE = 0;

  private static final int PARENT = 1;
  private static final int START = 19;
  private static final int PROCESSOR = 36;

  private final long pid;
  private final Path directory;

  public ProcFiles(long pid) {
    this.pid = pid;
    this.directory = Path.of("/proc/" + pid);
  }

  public long pid() {
    return pid;
  }

  /** Whether there is such a process, if only one that has ended and was not waited for. */
  public boolean exists() {
    return Files.exists(directory);
  }

  /**
   * Mappings, in the order of their addresses.
   *
   * @throws TargetException when the process is gone, or not this user's
   */
  public List<Mapped> maps() {
    return maps(directory + "/maps", text(directory.resolve("maps")));
  }

  /**
   * Reads the text of {@code maps}: lines of {@code start-end protection offset device inode name}.
   *
   * @throws BadDataException when a line is none of these
   */
  public static List<Mapped> maps(String source, String text) {
    var mappings = new ArrayList<Mapped>();
    int at = 0;
    while (at < text.length() && mappings.size() < MAPPING_LIMIT) {
      int end = text.indexOf('\n', at);
      end = end < 0 ? text.length() : end;
      mappings.add(mapping(source, at, text.substring(at, end)));
      at = end + 1;
    }
    return List.copyOf(mappings);
  }

  private static Mapped mapping(String source, int offset, String line) {
    // By hand: a process has hundreds of mappings, and a program that starts has no fast patterns.
    int dash = line.indexOf('-');
    int[] ends = new int[5];
    int at = 0;
    for (int i = 0; i < ends.length; i++) {
      ends[i] = wordEnd(line, at);
      at = wordStart(line, ends[i]);
    }
    if (dash < 0 || dash > ends[0] || ends[4] == ends[3]) {
      throw new BadDataException(
          source, offset, "'" + line + "', expected start-end protection offset device inode");
    }
    try {
      long start = Long.parseUnsignedLong(line, 0, dash, 16);
      long end = Long.parseUnsignedLong(line, dash + 1, ends[0], 16);
      if (Long.compareUnsigned(start, end) > 0) {
        throw new BadDataException(source, offset, "'" + line + "' ends before it starts");
      }
      return new Mapped(
          new Range(start, end),
          line.substring(wordStart(line, ends[0]), ends[1]),
          Long.parseUnsignedLong(line, wordStart(line, ends[1]), ends[2], 16),
          line.substring(at));
    } catch (NumberFormatException _) {
      throw new BadDataException(source, offset, "'" + line + "', expected hexadecimal addresses");
    }
  }

  /** The end of the word that starts at {@code at}. */
  private static int wordEnd(String line, int at) {
    int end = line.indexOf(' ', at);
    return end < 0 ? line.length() : end;
  }

  /** The start of the word behind the blanks at {@code at}. */
  private static int wordStart(String line, int at) {
    int start = at;
    while (start < line.length() && line.charAt(start) == ' ') {
      start++;
    }
    return start;
  }

  /**
   * What {@code stat} says of a process or thread.
   *
   * @param start when it was started, in clock ticks since boot: with the id it tells a process
   *     from a later one
   */
  public record Stat(
      String name, char state, OptionalLong parent, OptionalLong start, OptionalInt cpu) {}

  /** {@code stat} of the process; empty when it is gone. */
  public Optional<Stat> stat() {
    return optional(directory.resolve("stat")).map(ProcFiles::stat);
  }

  /** {@code stat} of a thread; empty when it is gone. */
  public Optional<Stat> stat(long thread) {
    return optional(threadFile(thread, "stat")).map(ProcFiles::stat);
  }

  /** Reads the text of {@code stat}: {@code pid (name) state parent ...}. */
  public static Stat stat(String text) {
    int open = text.indexOf('(');
    int close = text.lastIndexOf(')');
    String name = open >= 0 && close > open ? text.substring(open + 1, close) : "";
    String[] fields = close < 0 ? new String[0] : text.substring(close + 1).strip().split(" ", -1);
    var cpu = number(fields, PROCESSOR);
    return new Stat(
        name,
        fields.length > STATE && !fields[STATE].isEmpty() ? fields[STATE].charAt(0) : '?',
        number(fields, PARENT),
        number(fields, START),
        cpu.isPresent() ? OptionalInt.of((int) cpu.getAsLong()) : OptionalInt.empty());
  }

  private static OptionalLong number(String[] fields, int index) {
    return index < fields.length ? number(fields[index], 10) : OptionalLong.empty();
  }

  private static OptionalLong number(String text, int radix) {
    try {
      return OptionalLong.of(Long.parseLong(text, radix));
    } catch (NumberFormatException _) {
      return OptionalLong.empty(); // Not what this kernel writes there.
    }
  }

  /** The ids of the threads, ascending; empty when the process is gone. */
  public List<Integer> threads() {
    var ids = new ArrayList<Integer>();
    try (Stream<Path> entries = Files.list(directory.resolve("task"))) {
      for (Path entry : (Iterable<Path>) entries.limit(THREAD_LIMIT)::iterator) {
        try {
          ids.add(Integer.valueOf(entry.getFileName().toString()));
        } catch (NumberFormatException e) {
          throw new TargetException(entry + ": not the number of a thread", e);
        }
      }
    } catch (NoSuchFileException _) {
      return List.of(); // It has ended.
    } catch (IOException e) {
      throw cannot("list the threads", e);
    }
    ids.sort(null);
    return ids;
  }

  /** Whether it has this thread now. */
  public boolean hasThread(long thread) {
    return Files.exists(directory.resolve("task/" + thread));
  }

  /** The process that traces a thread; 0 for none, or when the thread is gone. */
  public long tracer(long thread) {
    return field(threadFile(thread, "status"), "TracerPid").orElse(0);
  }

  /** The process that a thread belongs to; empty when it is gone. */
  public OptionalLong group() {
    return field(directory.resolve("status"), "Tgid");
  }

  /** A decimal number in a file of lines {@code name: value}. */
  private OptionalLong field(Path file, String name) {
    return number(new String[] {text(optional(file).orElse(""), name)}, 0);
  }

  /** What stands behind {@code name:} in lines of such; empty where nothing does. */
  private static String text(String lines, String name) {
    for (String line : lines.split("\n", -1)) {
      if (line.startsWith(name + ":")) {
        return line.substring(name.length() + 1).strip();
      }
    }
    return "";
  }

  /** The words of the command line. */
  public List<String> arguments() {
    return words(optional(directory.resolve("cmdline")).orElse(""));
  }

  /** Reads the text of {@code cmdline}: words, each ended by NUL. */
  public static List<String> words(String text) {
    if (text.isEmpty()) {
      return List.of();
    }
    // A process that wrote over its arguments need not end them.
    String words = text.endsWith("\0") ? text.substring(0, text.length() - 1) : text;
    return List.of(words.split("\0", ARGUMENT_LIMIT));
  }

  /** The program's path as the process sees it. */
  public Optional<String> program() {
    return link("exe");
  }

  /** Where a link in the process's folder leads: {@code cwd}, {@code root}, {@code fd/3}. */
  public Optional<String> link(String name) {
    try {
      return Optional.of(Files.readSymbolicLink(directory.resolve(name)).toString());
    } catch (IOException _) {
      return Optional.empty(); // A kernel thread, ended, or another user's.
    }
  }

  /** The file that is open under a number; empty where none is. */
  public Optional<OpenFile> openFile(long descriptor) {
    var path = link("fd/" + descriptor);
    var information = optional(directory.resolve("fdinfo/" + descriptor)).orElse("");
    var position = number(text(information, "pos"), 10);
    var flags = number(text(information, "flags"), 8);
    if (path.isEmpty() || position.isEmpty() || flags.isEmpty()) {
      return Optional.empty(); // It is not open, or was closed meanwhile.
    }
    var mount = mount(text(information, "mnt_id"));
    return Optional.of(
        new OpenFile(
            path.get(),
            mount.map(Mount::fileSystem).orElse(""),
            mount.map(Mount::point).orElse(""),
            position.getAsLong(),
            flags.getAsLong()));
  }

  private record Mount(String point, String fileSystem) {}

  /**
   * By its number: {@code id parent device root point options [optional] - type source options}.
   */
  private Optional<Mount> mount(String id) {
    for (String line : optional(directory.resolve("mountinfo")).orElse("").split("\n", -1)) {
      var words = line.split(" ", -1);
      int separator = List.of(words).indexOf("-");
      if (words[0].equals(id) && separator > 4 && separator + 1 < words.length) {
        return Optional.of(new Mount(unescaped(words[4]), words[separator + 1]));
      }
    }
    return Optional.empty();
  }

  /** Blanks and backslashes in {@code mountinfo} are a backslash with three octal digits. */
  private static String unescaped(String word) {
    var text = word;
    for (var escaped : Map.of("\\040", " ", "\\011", "\t", "\\012", "\n").entrySet()) {
      text = text.replace(escaped.getKey(), escaped.getValue());
    }
    return text.replace("\\134", "\\");
  }

  /** Whether a filter of seccomp(2) decides on its first thread's system calls. */
  public boolean isConfined() {
    return isConfined(pid);
  }

  /** Whether a filter of seccomp(2) decides on a thread's system calls. */
  public boolean isConfined(long thread) {
    return field(threadFile(thread, "status"), "Seccomp").orElse(0) != 0;
  }

  /** Whether it runs with a shadow stack (x86, since Linux 6.6). */
  public boolean hasShadowStack() {
    for (String line : optional(directory.resolve("status")).orElse("").split("\n", -1)) {
      if (line.startsWith("x86_Thread_features:")) {
        return line.contains("shstk");
      }
    }
    return false;
  }

  /** Whether it has a handler for the signal. */
  public boolean catches(int signal) {
    for (String line : optional(directory.resolve("status")).orElse("").split("\n", -1)) {
      if (line.startsWith("SigCgt:")) {
        long caught = Long.parseUnsignedLong(line.substring("SigCgt:".length()).strip(), 16);
        return (caught >>> (signal - 1) & 1) != 0;
      }
    }
    return false;
  }

  /** The auxiliary vector. */
  public Map<Long, Long> auxiliary() {
    try {
      return auxiliary(bytes(directory.resolve("auxv")));
    } catch (IOException _) {
      return Map.of(); // Ended, or another user's.
    }
  }

  /** Reads an auxiliary vector: pairs of 64-bit words up to one of type AT_NULL (0). */
  public static Map<Long, Long> auxiliary(byte[] bytes) {
    var values = new LinkedHashMap<Long, Long>();
    var words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    while (words.remaining() >= 16 && values.size() < AUXILIARY_LIMIT) {
      long type = words.getLong();
      long value = words.getLong();
      if (type == 0) {
        break;
      }
      values.putIfAbsent(type, value);
    }
    return values;
  }

  /**
   * The file of a mapping: by its own name, beside which its debug files lie, where that is the
   * same file for us; else through the process's root directory. Of the program itself the kernel
   * keeps the file that was started, even when it was replaced or deleted.
   */
  public Optional<Path> file(Mapped mapping) {
    if (!mapping.isFile()) {
      return Optional.empty();
    }
    boolean own = program().filter(mapping.name()::equals).isPresent();
    Path seen = own ? directory.resolve("exe") : Path.of(directory + "/root" + mapping.name());
    Path direct = Path.of(mapping.name());
    if (Files.isReadable(seen)) {
      return Optional.of(isSame(direct, seen) ? direct : seen);
    }
    return Files.isReadable(direct) ? Optional.of(direct) : Optional.empty();
  }

  private static boolean isSame(Path a, Path b) {
    try {
      return Files.isSameFile(a, b);
    } catch (IOException _) {
      return false; // One of them is not there, or not for us.
    }
  }

  /**
   * The registers that the kernel tells of a thread that waits in a system call, without stopping
   * it: {@code number arg0 .. arg5 sp pc}; nothing for one that runs.
   */
  public Registers waiting(long thread, UserRegisters layout) {
    var none = Registers.none(layout.architecture().registers());
    var text = optional(threadFile(thread, "syscall"));
    return text.isPresent() ? waiting(text.get(), none) : none;
  }

  /** Reads the text of {@code syscall} into registers of which none is known. */
  static Registers waiting(String text, Registers none) {
    String[] fields = text.strip().split(" ");
    boolean arm = none.file().pc().equals(Aarch64.PC);
    List<Register> order =
        arm
            ? List.of(
                Aarch64.SYSCALLNO,
                Aarch64.ORIG_X0,
                Aarch64.x(1),
                Aarch64.x(2),
                Aarch64.x(3),
                Aarch64.x(4),
                Aarch64.x(5),
                Aarch64.SP,
                Aarch64.PC)
            : List.of(
                X86_64.ORIG_RAX,
                X86_64.RDI,
                X86_64.RSI,
                X86_64.RDX,
                X86_64.R10,
                X86_64.R8,
                X86_64.R9,
                X86_64.RSP,
                X86_64.RIP);
    // Blocked elsewhere than in a system call: -1 sp pc.
    int skipped = fields.length == 3 ? order.size() - 3 : 0;
    if (fields.length != 3 && fields.length != order.size()) {
      return none;
    }
    var registers = none;
    try {
      for (int i = 0; i < fields.length; i++) {
        if (i == 0) {
          registers = registers.with(order.getFirst(), Long.parseLong(fields[0]));
        } else {
          registers =
              registers.with(
                  order.get(i + skipped), Long.parseUnsignedLong(fields[i].substring(2), 16));
        }
      }
    } catch (NumberFormatException | IndexOutOfBoundsException _) {
      return none; // Another form than known: nothing is told.
    }
    return registers;
  }

  private Path threadFile(long thread, String name) {
    return directory.resolve("task/" + thread + "/" + name);
  }

  private Optional<String> optional(Path file) {
    try {
      return Optional.of(new String(bytes(file), StandardCharsets.UTF_8));
    } catch (IOException _) {
      return Optional.empty(); // Gone meanwhile, or not for this user.
    }
  }

  private String text(Path file) {
    try {
      return new String(bytes(file), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw cannot("read the " + file.getFileName(), e);
    }
  }

  /** The files of /proc have no size: they are read to their end. */
  private static byte[] bytes(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return in.readNBytes(FILE_LIMIT);
    }
  }

  private TargetException cannot(String what, IOException e) {
    if (e instanceof AccessDeniedException) {
      return new TargetException("no permission to " + what + " of process " + pid, e);
    }
    return exists()
        ? new TargetException("cannot " + what + " of process " + pid, e)
        : new TargetException("there is no process " + pid, e);
  }
}
