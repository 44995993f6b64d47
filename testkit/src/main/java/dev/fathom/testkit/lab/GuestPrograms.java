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

  /** ELF's numbers of machines. */
  private static final int EM_X86_64 = 62;

  private static final int EM_AARCH64 = 183;

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

  /** The same for 64-bit Arm. */
  private static final String ARM_THREADS =
      """
      f30340f9  ldr x19, [sp]           argc
      e10b40f9  ldr x1, [sp, #16]       argv[1]
      140080d2  mov x20, #0             x20 = its decimal value
      22144038  ldrb w2, [x1], #1
      a2000034  cbz w2, +20
      42c00051  sub w2, w2, #48
      430180d2  mov x3, #10
      940a039b  madd x20, x20, x3, x2
      fbffff17  b -20
      150ca0d2  mov x21, #6291456       stacks, 256 bytes each
      140300b4  cbz x20, +96
      b5020491  add x21, x21, #256
      881b80d2  mov x8, #220            clone(VM|FS|FILES|SIGHAND|THREAD, x21, 0, 0, 0)
      00e081d2  mov x0, #3840
      2000a0f2  movk x0, #1, lsl #16
      e10315aa  mov x1, x21
      020080d2  mov x2, #0
      030080d2  mov x3, #0
      040080d2  mov x4, #0
      010000d4  svc #0
      600000b4  cbz x0, +12
      940600d1  sub x20, x20, #1
      f4ffff17  b -48
      e81480d2  mov x8, #167            thread: prctl(PR_SET_NAME, name)
      e00180d2  mov x0, #15
      a1010010  adr x1, #52
      010000d4  svc #0
      280980d2  mov x8, #73             ppoll(0, 0, 0, 0)
      000080d2  mov x0, #0
      010080d2  mov x1, #0
      020080d2  mov x2, #0
      030080d2  mov x3, #0
      010000d4  svc #0
      faffff17  b -24
      7f0a00f1  cmp x19, #2             main: without a second argument waits too
      0dffff54  b.le -32
      3f2003d5  yield                   else runs in user mode for ever
      ffffff17  b -4
      """;

  private static final String THREAD_NAME = "lab-thread\0";

  private GuestPrograms() {}

  /**
   * The program {@code threads}: starts as many threads, named {@code lab-thread}, as its first
   * argument says; all wait in {@code pause()}, or what is like it. With a second argument the
   * first thread runs for ever instead. At most about 8000 threads.
   */
  static byte[] threads(Board board) {
    byte[] code = code(board.isArm() ? ARM_THREADS : THREADS);
    return executable(
        board.isArm() ? EM_AARCH64 : EM_X86_64,
        concat(code, THREAD_NAME.getBytes(StandardCharsets.US_ASCII)));
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
  private static byte[] executable(int machine, byte[] code) {
    ByteBuffer elf = ByteBuffer.allocate(HEADERS + code.length).order(ByteOrder.LITTLE_ENDIAN);
    elf.putInt(0x464c457f).putInt(0x00010102).putLong(0);
    elf.putShort((short) 2).putShort((short) machine).putInt(1).putLong(BASE + HEADERS);
    elf.putLong(64).putLong(0).putInt(0);
    elf.putShort((short) 64).putShort((short) 56).putShort((short) 1);
    elf.putShort((short) 64).putShort((short) 0).putShort((short) 0);
    elf.putInt(1).putInt(7).putLong(0).putLong(BASE).putLong(BASE);
    elf.putLong(HEADERS + code.length).putLong(MEMORY).putLong(4096);
    return elf.put(code).array();
  }
}
