// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.process;

import dev.fathom.target.local.ProcMemory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalLong;

/**
 * Keeps a process alive whose tracer is killed while breakpoints are planted in it. The kernel lets
 * its threads go on then, and the first that comes to a breakpoint gets a SIGTRAP that nobody takes
 * away: it would end the process. So the process gets a handler for that signal, in memory of its
 * own, which puts all the code back by way of {@code /proc/self/mem} and lets the thread go on
 * where it was. While the process is traced the signals never reach it. A SIGTRAP of another origin
 * is raised again with the process's own action in place. x86-64 only.
 *
 * <pre>
 *   0x000  the handler          0x260  number of entries in the table
 *   0x200  its sigaction        0x1000 the table: address, byte, 16 bytes each
 *   0x220  the process's own
 *   0x240  /proc/self/mem
 * </pre>
 */
final class TrapGuard {
  /** Carries out a system call in the process: number, arguments. */
  interface SystemCalls {
    /** The result; empty when it could not be carried out. */
    OptionalLong call(long number, long... arguments);
  }

  /** System calls of x86-64 (arch/x86/entry/syscalls/syscall_64.tbl). */
  private static final long MMAP = 9;

  private static final long MPROTECT = 10;
  private static final long MUNMAP = 11;
  private static final long RT_SIGACTION = 13;

  private static final int READ_WRITE = 3;
  private static final int READ_EXECUTE = 5;
  private static final int PRIVATE_ANONYMOUS = 0x22;
  private static final long SIGSET_BYTES = 8;

  /** SA_SIGINFO, SA_RESTORER, SA_ONSTACK, SA_NODEFER. */
  private static final long FLAGS = 0x4c00_0004L;

  private static final int ACTION = 0x200;
  private static final int OWN_ACTION = 0x220;
  private static final int PATH = 0x240;
  private static final int COUNT = 0x260;
  private static final int TABLE = 0x1000;
  private static final int ENTRY = 16;
  private static final int BYTES = 0x11000;
  private static final int MOST = (BYTES - TABLE) / ENTRY;

  /** Where the code that returns from the handler is in it. */
  private static final int RESTORER = 0xee;

  /**
   * The handler. {@code rsi} is the signal's siginfo, {@code rdx} the context with the pc at 168.
   *
   * <pre>
   *         mov  eax, [rsi+8]             a step that nobody waits for any more (TRAP_BRKPT,
   *         dec  eax                      TRAP_TRACE)
   *         cmp  eax, 1
   *         jbe  out
   *         mov  r8, [rdx+168]
   *         lea  r11, [r8-1]              the breakpoint is before the pc, or
   *   begin lea  r9, [table]
   *         mov  r10d, [count]
   *   look  test r10d, r10d
   *         jz   again
   *         mov  rax, [r9]
   *         cmp  rax, r11
   *         je   back
   *         add  r9, 16
   *         dec  r10d
   *         jmp  look
   *   again cmp  r11, r8
   *         je   passed
   *         mov  r11, r8                  at it, where the tracer has moved the pc already
   *         jmp  begin
   *   passed cmp byte [r8-1], 0xcc        or behind what the tracer has carried out for it
   *         je   foreign
   *         mov  r11, r8
   *   back  mov  [rdx+168], r11
   *         mov  eax, 2                   open("/proc/self/mem", O_RDWR | O_CLOEXEC)
   *         lea  rdi, [path]
   *         mov  esi, 0x80002
   *         xor  edx, edx
   *         syscall
   *         test eax, eax
   *         js   foreign
   *         mov  ebx, eax
   *         lea  r12, [table]
   *         mov  r13d, [count]
   *   next  test r13d, r13d
   *         jz   done
   *         mov  eax, 18                  pwrite64(file, entry + 8, 1, address)
   *         mov  edi, ebx
   *         lea  rsi, [r12+8]
   *         mov  edx, 1
   *         mov  r10, [r12]
   *         syscall
   *         add  r12, 16
   *         dec  r13d
   *         jmp  next
   *   done  mov  eax, 3                   close(file)
   *         mov  edi, ebx
   *         syscall
   *   out   ret
   *   foreign mov eax, 13                 rt_sigaction(SIGTRAP, own, 0, 8)
   *         mov  edi, 5
   *         lea  rsi, [own]
   *         xor  edx, edx
   *         mov  r10d, 8
   *         syscall
   *         mov  eax, 39                  getpid()
   *         syscall
   *         mov  r12d, eax
   *         mov  eax, 186                 gettid()
   *         syscall
   *         mov  esi, eax                 tgkill(pid, tid, SIGTRAP)
   *         mov  edi, r12d
   *         mov  edx, 5
   *         mov  eax, 234
   *         syscall
   *         ret
   *   restorer mov eax, 15                rt_sigreturn()
   *         syscall
   * </pre>
   */
  private static final String HANDLER =
      "8b4608ffc883f8010f86a10000004c8b82a80000004d8d58ff4c8d0de00f0000"
          + "448b15390200004585d27411498b014c39d8741d4983c11041ffcaebea4d39c3"
          + "74054d89c3ebd2418078ffcc74624d89c34c899aa8000000b802000000488d3d"
          + "dc010000be0200080031d20f0585c0783f89c34c8d25860f0000448b2ddf0100"
          + "004585ed7420b81200000089df498d742408ba010000004d8b14240f054983c4"
          + "1041ffcdebdbb80300000089df0f05c3b80d000000bf05000000488d355f0100"
          + "0031d241ba080000000f05b8270000000f054189c4b8ba0000000f0589c64489"
          + "e7ba05000000b8ea0000000f05c3b80f0000000f05";

  private final SystemCalls calls;
  private final long base;

  /** The addresses in the table; 0 where there is none. */
  private final List<Long> entries = new ArrayList<>();

  private TrapGuard(SystemCalls calls, long base) {
    this.calls = calls;
    this.base = base;
  }

  /**
   * Puts the handler into a stopped process.
   *
   * @return empty when the process does not let it be put in
   */
  static java.util.Optional<TrapGuard> over(ProcMemory memory, SystemCalls calls) {
    var mapped = calls.call(MMAP, 0, BYTES, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0);
    if (mapped.isEmpty() || failed(mapped.getAsLong())) {
      return java.util.Optional.empty();
    }
    var guard = new TrapGuard(calls, mapped.getAsLong());
    if (guard.fill(memory) && guard.arm()) {
      return java.util.Optional.of(guard);
    }
    guard.unmap();
    return java.util.Optional.empty();
  }

  private static boolean failed(long result) {
    return result < 0 && result >= -4095;
  }

  private boolean fill(ProcMemory memory) {
    var page = ByteBuffer.allocate(TABLE).order(ByteOrder.LITTLE_ENDIAN);
    page.put(0, HexFormat.of().parseHex(HANDLER));
    page.putLong(ACTION, base).putLong(ACTION + 8, FLAGS).putLong(ACTION + 16, base + RESTORER);
    page.put(PATH, "/proc/self/mem\0".getBytes(StandardCharsets.US_ASCII));
    return memory.write(base, MemorySegment.ofArray(page.array()));
  }

  private boolean arm() {
    return done(
            calls.call(
                RT_SIGACTION, Signals.SIGTRAP, base + ACTION, base + OWN_ACTION, SIGSET_BYTES))
        && done(calls.call(MPROTECT, base, BYTES, READ_EXECUTE));
  }

  private static boolean done(OptionalLong result) {
    return result.isPresent() && result.getAsLong() == 0;
  }

  /** A breakpoint is going to be at {@code address}; false when there is no room for more. */
  boolean add(ProcMemory memory, long address, byte code) {
    int free = entries.indexOf(0L);
    if (free < 0) {
      free = entries.size();
      if (free == MOST) {
        return false;
      }
      entries.add(0L);
    }
    entries.set(free, address);
    var entry = ByteBuffer.allocate(ENTRY).order(ByteOrder.LITTLE_ENDIAN);
    entry.putLong(0, address).put(8, code);
    return memory.write(base + TABLE + (long) ENTRY * free, MemorySegment.ofArray(entry.array()))
        && count(memory);
  }

  /** There is none any more. */
  void remove(ProcMemory memory, long address) {
    int at = entries.indexOf(address);
    if (at >= 0) {
      entries.set(at, 0L);
      memory.write(base + TABLE + (long) ENTRY * at, MemorySegment.ofArray(new byte[ENTRY]));
    }
  }

  private boolean count(ProcMemory memory) {
    var count = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(0, entries.size());
    return memory.write(base + COUNT, MemorySegment.ofArray(count.array()));
  }

  /** Gives the process its own action back. */
  void close() {
    if (done(calls.call(RT_SIGACTION, Signals.SIGTRAP, base + OWN_ACTION, 0, SIGSET_BYTES))) {
      unmap();
    }
  }

  private void unmap() {
    calls.call(MUNMAP, base, BYTES);
  }
}
