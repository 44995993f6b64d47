// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.Range;
import dev.fathom.format.elf.Elf;
import dev.fathom.format.elf.ElfNote;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.ProcessView.Mapped;
import dev.fathom.target.local.ProcFiles;
import dev.fathom.target.local.UserRegisters;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The notes of a process's core file, in their order: a PRSTATUS for each thread, the one that the
 * signal ended first, each followed by what else is told of that thread; PRPSINFO, AUXV and FILE of
 * the process (Linux fs/binfmt_elf.c; gdb's gcore writes the same).
 *
 * <pre>
 * NT_PRSTATUS  struct elf_prstatus  pr_cursig u16 at 12, pr_pid u32 at 32, pr_reg at 112
 * NT_PRPSINFO  struct elf_prpsinfo  pr_sname u8 at 1, pr_pid u32 at 24, pr_ppid u32 at 28,
 *                                   pr_fname[16] at 40, pr_psargs[80] at 56
 * NT_SIGINFO   siginfo_t            si_signo, si_errno, si_code u32; then by kind
 * NT_FPREGSET  of x86-64: what FXSAVE writes
 * NT_X86_XSTATE  of LINUX: what XSAVE writes
 * NT_ARM_TLS   of LINUX: tpidr_el0 u64
 * NT_FILE      count, page size, { start, end, offset in pages } of each, then their names
 * </pre>
 */
final class ProcessNotes {
  private static final String OWNER = "CORE";
  private static final String LINUX = "LINUX";
  private static final int NT_FPREGSET = 2;
  private static final int NT_PRPSINFO = 3;
  private static final int NT_AUXV = 6;
  private static final int NT_SIGINFO = 0x5349_4749;
  private static final int NT_X86_XSTATE = 0x202;
  private static final int NT_ARM_TLS = 0x401;
  private static final int NT_FILE = 0x4649_4c45;

  private static final int PR_CURSIG = 12;
  private static final int PR_PID = 32;
  private static final int PR_REG = 112;
  private static final int PSINFO_BYTES = 136;
  private static final int SIGINFO_BYTES = 24;
  private static final int FXSAVE_BYTES = 512;
  private static final int SMALL = 1 << 16;
  private static final int FILES_LIMIT = 64 << 20;
  private static final int THREAD_LIMIT = 1 << 17;

  /** A thread as its notes tell of it. */
  static final class CoreThread {
    final int id;
    final int signal;
    Registers registers;

    /** The signal's siginfo_t; like the next it stays in the file, as there may be many threads. */
    private Optional<ByteSource> info = Optional.empty();

    private Optional<ByteSource> extended = Optional.empty();

    CoreThread(int id, int signal, Registers registers) {
      this.id = id;
      this.signal = signal;
      this.registers = registers;
    }

    /** What is told of the signal that stopped it; at least {@link #SIGINFO_BYTES}. */
    Optional<byte[]> info() {
      return info.map(CoreThread::read);
    }

    /** What FXSAVE or XSAVE wrote, of x86-64. */
    Optional<byte[]> extended() {
      return extended.map(CoreThread::read);
    }

    private static byte[] read(ByteSource descriptor) {
      return descriptor.bytes(0, (int) descriptor.size());
    }
  }

  private final UserRegisters layout;
  private final List<CoreThread> threads = new ArrayList<>();
  private final List<Mapped> files = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();
  private Map<Long, Long> auxiliary = Map.of();
  private Optional<String> name = Optional.empty();
  private List<String> arguments = List.of();
  private OptionalLong pid = OptionalLong.empty();
  private OptionalLong parent = OptionalLong.empty();
  private boolean extended;
  private char state = '?';

  ProcessNotes(UserRegisters layout) {
    this.layout = layout;
  }

  /** Whether notes are those of a process, which a kernel's dump has none of. */
  static boolean areOfProcess(List<ElfNote> notes) {
    for (var note : notes) {
      if (note.is(OWNER, NT_AUXV) || note.is(OWNER, NT_FILE)) {
        return true;
      }
    }
    return false;
  }

  /** Takes the notes of a segment; one that cannot be decoded is left out with a warning. */
  void add(List<ElfNote> notes) {
    for (var note : notes) {
      try {
        if (note.name().equals(OWNER)) {
          add(note);
        } else if (note.name().equals(LINUX) && !threads.isEmpty()) {
          addOfMachine(threads.getLast(), note);
        }
      } catch (BadDataException e) {
        warnings.add(e.getMessage());
      }
    }
  }

  private void add(ElfNote note) {
    switch (note.type()) {
      case Elf.NT_PRSTATUS -> thread(note);
      case NT_PRPSINFO -> process(note);
      case NT_AUXV -> auxiliary = ProcFiles.auxiliary(bytes(note, 0, SMALL));
      case NT_SIGINFO -> {
        if (!threads.isEmpty() && threads.getLast().info.isEmpty()) {
          threads.getLast().info = Optional.of(checked(note, SIGINFO_BYTES, SMALL));
        }
      }
      case NT_FPREGSET -> {
        if (layout.architecture() instanceof X86_64
            && !threads.isEmpty()
            && threads.getLast().extended.isEmpty()) {
          extended(threads.getLast(), note);
        }
      }
      case NT_FILE -> files(note);
      default -> {}
    }
  }

  /** A note of registers that only machines of one kind have. */
  private void addOfMachine(CoreThread thread, ElfNote note) {
    if (note.type() == NT_ARM_TLS && layout.architecture() instanceof Aarch64) {
      long pointer = words(note, Long.BYTES, SMALL).getLong();
      thread.registers = thread.registers.with(Aarch64.TPIDR_EL0, pointer);
    } else if (note.type() == NT_X86_XSTATE && layout.architecture() instanceof X86_64) {
      extended(thread, note);
    }
  }

  private void extended(CoreThread thread, ElfNote note) {
    thread.extended = Optional.of(checked(note, FXSAVE_BYTES, SMALL));
    extended = true;
  }

  /** Whether any thread's registers beyond the general ones are there. */
  boolean haveExtended() {
    return extended;
  }

  private static ByteSource checked(ElfNote note, int least, int most) {
    var descriptor = note.descriptor();
    if (descriptor.size() < least || descriptor.size() > most) {
      throw new BadDataException(
          descriptor.name(),
          note.offset(),
          "note of type 0x"
              + Integer.toHexString(note.type())
              + " has "
              + descriptor.size()
              + " bytes, expected "
              + least
              + " to "
              + most);
    }
    return descriptor;
  }

  private static byte[] bytes(ElfNote note, int least, int most) {
    return CoreThread.read(checked(note, least, most));
  }

  private static ByteBuffer words(ElfNote note, int least, int most) {
    return ByteBuffer.wrap(bytes(note, least, most)).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void thread(ElfNote note) {
    if (threads.size() == THREAD_LIMIT) {
      throw new BadDataException(
          note.descriptor().name(), note.offset(), "more than " + THREAD_LIMIT + " threads");
    }
    var words = words(note, PR_REG + layout.bytes(), SMALL);
    threads.add(
        new CoreThread(
            words.getInt(PR_PID),
            words.getShort(PR_CURSIG) & 0xffff,
            layout.decode(words.array(), PR_REG)));
  }

  private void process(ElfNote note) {
    var words = words(note, PSINFO_BYTES, SMALL);
    char letter = (char) (words.get(1) & 0xff);
    state = Character.isLetter(letter) ? letter : '?';
    pid = OptionalLong.of(words.getInt(24));
    parent = OptionalLong.of(words.getInt(28));
    name = Optional.of(text(words.array(), 40, 16));
    String line = text(words.array(), 56, 80).strip();
    // The kernel joins the arguments by blanks, and cuts them off.
    arguments = line.isEmpty() ? List.of() : List.of(line.split(" +"));
  }

  private static String text(byte[] bytes, int at, int length) {
    int end = at;
    while (end < at + length && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, at, end - at, StandardCharsets.UTF_8);
  }

  private void files(ElfNote note) {
    byte[] bytes = bytes(note, 16, FILES_LIMIT);
    var words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long count = words.getLong();
    long page = words.getLong();
    if (count < 0 || count > (bytes.length - 16) / 24 || page <= 0) {
      throw new BadDataException(
          note.descriptor().name(),
          note.offset(),
          "NT_FILE of " + count + " files, but the note has room for " + (bytes.length - 16) / 24);
    }
    int at = 16 + 24 * (int) count;
    for (int i = 0; i < count; i++) {
      long start = words.getLong();
      long end = words.getLong();
      long offset = words.getLong() * page;
      int stop = at;
      while (stop < bytes.length && bytes[stop] != 0) {
        stop++;
      }
      if (stop == bytes.length || Long.compareUnsigned(start, end) > 0) {
        throw new BadDataException(
            note.descriptor().name(),
            note.offset(),
            "NT_FILE ends at file " + i + " of " + count + ", or its range does");
      }
      String file = new String(bytes, at, stop - at, StandardCharsets.UTF_8);
      files.add(new Mapped(new Range(start, end), "", offset, file));
      at = stop + 1;
    }
  }

  List<CoreThread> threads() {
    return threads;
  }

  /** The files that were mapped, without protections, which the segments have. */
  List<Mapped> files() {
    return files;
  }

  Map<Long, Long> auxiliary() {
    return auxiliary;
  }

  String name() {
    return name.orElse("");
  }

  List<String> arguments() {
    return arguments;
  }

  /** The process's id: that of the first thread where the process's own note is missing. */
  long pid() {
    return pid.orElse(threads.isEmpty() ? 0 : threads.getFirst().id);
  }

  OptionalLong parent() {
    return parent;
  }

  char state() {
    return state;
  }

  List<String> warnings() {
    return warnings;
  }
}
