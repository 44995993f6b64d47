// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** Programs for the guest that busybox has none for, written as the instructions that they are. */
final class GuestPrograms {
  private static final long BASE = 0x400000;
  private static final int HEADERS = 64 + 56;

  /** Thread stacks begin at {@code BASE + 0x200000}; see the code. */
  private static final long MEMORY = 0x400000;

  /** {@code threads N [spin]}, x86-64 Linux. */
  private static final String THREADS =
      """
      488b5c2410      mov rbx, [rsp+16]      argv[1]
      4531e4          xor r12d, r12d         r12 = its decimal value
      0fb603          movzx eax, byte [rbx]
      84c0            test al, al
      740f            jz +15
      4d6be40a        imul r12, r12, 10
      83e830          sub eax, '0'
      4901c4          add r12, rax
      48ffc3          inc rbx
      ebea            jmp -22
      4c8b2c24        mov r13, [rsp]         argc
      41be00006000    mov r14d, 0x600000     stacks, 256 bytes each
      4d85e4          test r12, r12
      7443            jz main
      4981c600010000  add r14, 256
      b838000000      mov eax, 56            clone(VM|FS|FILES|SIGHAND|THREAD, r14, 0, 0, 0)
      bf000f0100      mov edi, 0x10f00
      4c89f6          mov rsi, r14
      31d2            xor edx, edx
      4531d2          xor r10d, r10d
      4531c0          xor r8d, r8d
      0f05            syscall
      85c0            test eax, eax
      7405            jz thread
      49ffcc          dec r12
      ebd4            jmp -44
      b89d000000      mov eax, 157           thread: prctl(PR_SET_NAME, name)
      bf0f000000      mov edi, 15
      488d3515000000  lea rsi, [rip+name]
      0f05            syscall
      b822000000      mov eax, 34            pause()
      0f05            syscall
      ebf7            jmp -9
      4983fd02        cmp r13, 2             main: without a second argument pauses too
      7ef1            jle -15
      f390            pause                  else runs in user mode for ever
      ebfc            jmp -4
      """;

  private static final String THREAD_NAME = "lab-thread\0";

  private GuestPrograms() {}

  /**
   * The program {@code threads}: starts as many threads, named {@code lab-thread}, as its first
   * argument says; all wait in {@code pause()}. With a second argument the first thread runs for
   * ever instead. At most about 8000 threads.
   */
  static byte[] threads() {
    return executable(concat(code(THREADS), THREAD_NAME.getBytes(StandardCharsets.US_ASCII)));
  }

  /** The bytes of a listing: the first word of each line. */
  static byte[] code(String listing) {
    StringBuilder hex = new StringBuilder();
    for (String line : listing.lines().toList()) {
      hex.append(line.strip().split(" ", 2)[0]);
    }
    return HexFormat.of().parseHex(hex);
  }

  static byte[] concat(byte[] first, byte[] second) {
    return ByteBuffer.allocate(first.length + second.length).put(first).put(second).array();
  }

  /** A static executable: ELF header, one program header, code; loaded writable at BASE. */
  private static byte[] executable(byte[] code) {
    ByteBuffer elf = ByteBuffer.allocate(HEADERS + code.length).order(ByteOrder.LITTLE_ENDIAN);
    elf.putInt(0x464c457f).putInt(0x00010102).putLong(0);
    elf.putShort((short) 2).putShort((short) 62).putInt(1).putLong(BASE + HEADERS);
    elf.putLong(64).putLong(0).putInt(0);
    elf.putShort((short) 64).putShort((short) 56).putShort((short) 1);
    elf.putShort((short) 64).putShort((short) 0).putShort((short) 0);
    elf.putInt(1).putInt(7).putLong(0).putLong(BASE).putLong(BASE);
    elf.putLong(HEADERS + code.length).putLong(MEMORY).putLong(4096);
    return elf.put(code).array();
  }
}
