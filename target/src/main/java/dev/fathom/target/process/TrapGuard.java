// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.process;

import dev.fathom.target.local.ProcMemory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Keeps a process alive whose tracer is killed while breakpoints are planted in it. The kernel lets
 * its threads go on then, and the first that comes to a breakpoint gets a SIGTRAP that nobody takes
 * away: it would end the process. So the process gets a handler for that signal, in memory of its
 * own, which puts all the code back by way of {@code /proc/self/mem} and lets the thread go on
 * where it was. While the process is traced the signals never reach it. A SIGTRAP of another origin
 * goes to the process's own handler, or has the effect that it has without one. x86-64 only.
 *
 * <p>The memory: a page of code, then what can be written.
 *
 * <pre>
 *   0x0000  the handler
 *   0x1000  its sigaction          0x1080  number of entries in the table
 *   0x1020  the process's own      0x1088  the token of who put it in
 *   0x1040  what is there          0x1100  the table: address, byte, 16 bytes each
 *   0x1060  /proc/self/mem
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

  /** SA_SIGINFO, SA_RESTORER, SA_ONSTACK, SA_RESTART, SA_NODEFER. */
  private static final long FLAGS = 0x5c00_0004L;

  private static final int PAGE = 0x1000;
  private static final int ACTION = 0x1000;
  private static final int ACTION_BYTES = 0x20;
  private static final int OWN_ACTION = 0x1020;
  private static final int FOUND_ACTION = 0x1040;
  private static final int PATH = 0x1060;

  /** Read by {@link TrapRestorer}, as those that follow. */
  static final int COUNT = 0x1080;

  static final int TOKEN = 0x1088;
  static final int TABLE = 0x1100;
  static final int ENTRY = 16;
  private static final int BYTES = 0x10_1000;
  static final int MOST = (BYTES - TABLE) / ENTRY;
  private static final int MOST_IDLE = 64;

  /** Where the code that returns from the handler is in it. */
  private static final int RESTORER = 0x123;

  /**
   * The handler. {@code rsi} is the signal's siginfo, {@code rdx} the context with the pc at 168.
   *
   * <pre>
   *            mov eax, [rsi+8]
   *            cmp eax, 0x80
   *            je broke
   *            dec eax
   *            cmp eax, 3
   *            jbe out
   *            jmp foreign
   *   broke    mov r8, [rdx+168]
   *            lea r11, [r8-1]
   *   begin    lea r9, [table]
   *            mov r10d, [count]
   *   look     test r10d, r10d
   *            jz again
   *            cmp r11, [r9]
   *            je back
   *            add r9, 16
   *            dec r10d
   *            jmp look
   *   again    cmp r11, r8
   *            je foreign
   *            mov r11, r8
   *            jmp begin
   *   back     mov [rdx+168], r11
   *            mov eax, 2
   *            lea rdi, [path]
   *            mov esi, 0x80002
   *            xor edx, edx
   *            syscall
   *            test eax, eax
   *            js out
   *            mov ebx, eax
   *            lea r12, [table]
   *            mov r13d, [count]
   *   next     test r13d, r13d
   *            jz done
   *            mov eax, 17
   *            mov edi, ebx
   *            lea rsi, [rsp-16]
   *            mov edx, 1
   *            mov r10, [r12]
   *            syscall
   *            cmp eax, 1
   *            jne other
   *            cmp [rsp-16], 0xcc
   *            jne other
   *            mov eax, 18
   *            mov edi, ebx
   *            lea rsi, [r12+8]
   *            mov edx, 1
   *            mov r10, [r12]
   *            syscall
   *   other    add r12, 16
   *            dec r13d
   *            jmp next
   *   done     mov eax, 3
   *            mov edi, ebx
   *            syscall
   *   out      ret
   *   foreign  mov rax, [own]
   *            cmp rax, 1
   *            jbe none
   *            jmp rax
   *   none     mov eax, 13
   *            mov edi, 5
   *            lea rsi, [own]
   *            xor edx, edx
   *            mov r10d, 8
   *            syscall
   *            mov eax, 39
   *            syscall
   *            mov r12d, eax
   *            mov eax, 186
   *            syscall
   *            mov esi, eax
   *            mov edi, r12d
   *            mov edx, 5
   *            mov eax, 234
   *            syscall
   *            ret
   *   restorer mov eax, 15
   *            syscall
   * </pre>
   */
  private static final byte[] HANDLER =
      HexFormat.of()
          .parseHex(
              "8b46083d800000007410ffc883f8030f86c0000000e9bc0000004c8b82a80000"
                  + "004d8d58ff4c8d0dd4100000448b154d1000004585d2740e4d3b1974174983c1"
                  + "1041ffcaebed4d39c30f84870000004d89c3ebd14c899aa8000000b802000000"
                  + "488d3df90f0000be0200080031d20f0585c0786189c34c8d2583100000448b2d"
                  + "fc0f00004585ed7443b81100000089df488d7424f0ba010000004d8b14240f05"
                  + "83f801751e807c24f0cc7517b81200000089df498d742408ba010000004d8b14"
                  + "240f054983c41041ffcdebb8b80300000089df0f05c3488b05430f00004883f8"
                  + "017602ffe0b80d000000bf05000000488d352a0f000031d241ba080000000f05"
                  + "b8270000000f054189c4b8ba0000000f0589c64489e7ba05000000b8ea000000"
                  + "0f05c3b80f0000000f05");

  private final SystemCalls calls;
  private final long base;

  /** An entry of the table, by its number there. */
  private record Entry(int number, byte code) {}

  /** The entries by address; one that is free has address 0. */
  private final Map<Long, Entry> entries = new HashMap<>();

  private final ArrayDeque<Integer> free = new ArrayDeque<>();

  /**
   * Where there is no breakpoint now. Whoever steps over one takes it out and puts it in again;
   * code without one is left alone by the handler.
   */
  private final Set<Long> idle = new LinkedHashSet<>();

  private TrapGuard(SystemCalls calls, long base) {
    this.calls = calls;
    this.base = base;
  }

  /**
   * Puts the handler into a stopped process. What an earlier tracer that was killed has left there
   * is put in order.
   *
   * @param token tells the tracer from others
   * @return empty when the process does not let it be put in
   */
  static Optional<TrapGuard> over(ProcMemory memory, long token, SystemCalls calls) {
    var mapped = calls.call(MMAP, 0, BYTES, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0);
    if (mapped.isEmpty() || failed(mapped.getAsLong())) {
      return Optional.empty();
    }
    var guard = new TrapGuard(calls, mapped.getAsLong());
    if (guard.fill(memory, token)
        && done(calls.call(MPROTECT, guard.base, PAGE, READ_EXECUTE))
        && guard.arm(OWN_ACTION)) {
      guard.inherit(memory);
      return Optional.of(guard);
    }
    guard.unmap();
    return Optional.empty();
  }

  private static boolean failed(long result) {
    return result < 0 && result >= -4095;
  }

  private boolean fill(ProcMemory memory, long token) {
    var data = ByteBuffer.allocate(TABLE - ACTION).order(ByteOrder.LITTLE_ENDIAN);
    data.putLong(0, base).putLong(8, FLAGS).putLong(16, base + RESTORER);
    data.put(PATH - ACTION, "/proc/self/mem\0".getBytes(StandardCharsets.US_ASCII));
    data.putLong(TOKEN - ACTION, token);
    return memory.write(base, MemorySegment.ofArray(HANDLER))
        && memory.write(base + ACTION, MemorySegment.ofArray(data.array()));
  }

  private boolean arm(int before) {
    return done(
        calls.call(RT_SIGACTION, Signals.SIGTRAP, base + ACTION, base + before, SIGSET_BYTES));
  }

  /** Puts the handler in again after something has set the signal's action back. */
  boolean armAgain() {
    return arm(FOUND_ACTION);
  }

  /**
   * Puts the code back that an earlier guard knows of, and takes its place. Its pages stay: a
   * thread may be in its handler.
   */
  private void inherit(ProcMemory memory) {
    long earlier = read(memory, base + OWN_ACTION, Long.BYTES).map(it -> it.getLong(0)).orElse(0L);
    if (earlier == 0
        || read(memory, earlier, HANDLER.length)
            .filter(code -> Arrays.equals(code.array(), HANDLER))
            .isEmpty()) {
      return;
    }
    int count = read(memory, earlier + COUNT, 4).map(it -> it.getInt(0)).orElse(0);
    for (int i = 0; i < Math.min(count, MOST); i++) {
      read(memory, earlier + TABLE + (long) ENTRY * i, ENTRY)
          .ifPresent(entry -> restore(memory, entry.getLong(0), entry.get(8)));
    }
    read(memory, earlier + OWN_ACTION, ACTION_BYTES)
        .ifPresent(own -> memory.write(base + OWN_ACTION, MemorySegment.ofArray(own.array())));
  }

  private static Optional<ByteBuffer> read(ProcMemory memory, long address, int count) {
    var bytes = new byte[count];
    return memory.read(address, MemorySegment.ofArray(bytes)) == count
        ? Optional.of(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN))
        : Optional.empty();
  }

  private static void restore(ProcMemory memory, long address, byte code) {
    var there = address == 0 ? Optional.<ByteBuffer>empty() : read(memory, address, 1);
    if (there.isPresent() && there.get().get(0) == (byte) 0xcc) {
      memory.write(address, MemorySegment.ofArray(new byte[] {code}));
    }
  }

  private static boolean done(OptionalLong result) {
    return result.isPresent() && result.getAsLong() == 0;
  }

  /** Where it is in the process. */
  long base() {
    return base;
  }

  /** A breakpoint is going to be at {@code address}; false when there is no room for more. */
  boolean add(ProcMemory memory, long address, byte code) {
    idle.remove(address);
    var known = entries.get(address);
    if (known != null && known.code() == code) {
      return true;
    }
    boolean more = known == null && free.isEmpty();
    if (more && entries.size() == MOST) {
      return false;
    }
    int number = known != null ? known.number() : more ? entries.size() : free.poll();
    entries.put(address, new Entry(number, code));
    return write(memory, number, address, code) && (!more || count(memory));
  }

  private boolean write(ProcMemory memory, int number, long address, byte code) {
    var entry = ByteBuffer.allocate(ENTRY).order(ByteOrder.LITTLE_ENDIAN);
    entry.putLong(0, address).put(8, code);
    return memory.write(base + TABLE + (long) ENTRY * number, MemorySegment.ofArray(entry.array()));
  }

  /** There is none any more. */
  void remove(ProcMemory memory, long address) {
    if (!entries.containsKey(address)) {
      return;
    }
    idle.add(address);
    if (idle.size() > MOST_IDLE) {
      long oldest = idle.iterator().next();
      idle.remove(oldest);
      int number = entries.remove(oldest).number();
      free.add(number);
      write(memory, number, 0, (byte) 0);
    }
  }

  private boolean count(ProcMemory memory) {
    int all = entries.size() + free.size();
    var count = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(0, all);
    return memory.write(base + COUNT, MemorySegment.ofArray(count.array()));
  }

  /**
   * Gives the process its own action back, unless it has chosen another meanwhile.
   *
   * @param used whether a thread may be in the handler
   */
  void close(ProcMemory memory, boolean used) {
    if (!done(
        calls.call(
            RT_SIGACTION, Signals.SIGTRAP, base + OWN_ACTION, base + FOUND_ACTION, SIGSET_BYTES))) {
      return; // No thread can carry it out: it stays, and does nothing.
    }
    long found =
        read(memory, base + FOUND_ACTION, Long.BYTES).map(it -> it.getLong(0)).orElse(base);
    if (found != base) {
      calls.call(RT_SIGACTION, Signals.SIGTRAP, base + FOUND_ACTION, 0, SIGSET_BYTES);
    }
    if (!used) {
      unmap();
    }
  }

  private void unmap() {
    calls.call(MUNMAP, base, BYTES);
  }
}
