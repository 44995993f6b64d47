// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.testkit.Fuzz;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

public class MonitorRegistersTest {
  /** Two vCPUs of a Linux guest, the second in user mode, as QEMU 7.2 prints them. */
  public static final String TWO =
      """

      CPU#0
      RAX=ffff8eb0811fa0c0 RBX=ffff8eb09f431980 RCX=ffff8eb09f4323f8 RDX=ffff8eb09f4323f9
      RSI=ffff8eb09f4323fa RDI=ffff8eb0811fa168 RBP=ffffd06e40013cd8 RSP=ffffd06e40013c90
      R8 =ffff8eb09f4323fb R9 =00000000314471b0 R10=00000000fffffffb R11=0000000000000000
      R12=ffff8eb0811fa0c1 R13=ffff8eb0811fa0c2 R14=ffffffff869982d0 R15=ffff8eb0811fab90
      RIP=ffffffff86010c63 RFL=00000086 [--S--P-] CPL=0 II=0 A20=1 SMM=0 HLT=1
      ES =0000 0000000000000000 00000000 00000000
      CS =0010 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]
      SS =0018 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]
      DS =0000 0000000000000000 00000000 00000000
      FS =0000 0000000000000007 00000000 00000000
      GS =0000 ffff8eb09f400000 00000000 00000000
      LDT=0000 0000000000000000 00000000 00008200 DPL=0 LDT
      TR =0040 fffffe0000003000 00004087 00008900 DPL=0 TSS64-avl
      GDT=     fffffe0000001000 0000007f
      IDT=     fffffe0000000000 00000fff
      CR0=80050033 CR2=ffff8eb092a01000 CR3=0000000011c10000 CR4=00750eb0
      DR0=0000000000000000 DR1=0000000000000000 DR2=0000000000000000 DR3=0000000000000000
      DR6=00000000ffff0ff0 DR7=0000000000000400
      EFER=0000000000000d01
      FCW=037f FSW=0000 [ST=0] FTW=00 MXCSR=00001f80
      FPR0=0000000000000000 0000 FPR1=0000000000000000 0000
      YMM00=0000000000000000 0000000000000000 0000000000000000 0000000000000000

      CPU#1
      RAX=0000000000000001 RBX=0000000000000000 RCX=0000000000000000 RDX=0000000000000000
      RIP=0000000000401000 RFL=00000246 [---Z-P-] CPL=3 II=0 A20=1 SMM=0 HLT=0
      CS =0033 0000000000000000 ffffffff 00affb00 DPL=3 CS64 [-RA]
      GS =0000 0000000000000000 00000000 00000000
      CR0=80050033 CR2=00007ffff7ff0000 CR3=0000000011c11000 CR4=00750ef0
      """;

  private static final String REAL_MODE =
      """
      CPU#0
      EAX=00000000 EBX=00000000 ECX=00000000 EDX=00060fb1
      ESI=00000000 EDI=00000000 EBP=00000000 ESP=00000000
      EIP=0000fff0 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0
      ES =0000 00000000 0000ffff 00009300
      CS =f000 ffff0000 0000ffff 00009b00
      LDT=0000 00000000 0000ffff 00008200
      TR =0000 00000000 0000ffff 00008b00
      GDT=     00000000 0000ffff
      IDT=     00000000 0000ffff
      CR0=60000010 CR2=00000000 CR3=00000000 CR4=00000000
      """;

  @Test
  void readsEveryRegisterThatIsKept() {
    List<MonitorRegisters.State> states = MonitorRegisters.x86(TWO);

    assertThat(states).extracting(MonitorRegisters.State::id).containsExactly(0, 1);
    Registers first = states.getFirst().registers();
    assertThat(value(first, X86_64.RAX)).isEqualTo(0xffff8eb0811fa0c0L);
    assertThat(value(first, X86_64.RBX)).isEqualTo(0xffff8eb09f431980L);
    assertThat(value(first, X86_64.RCX)).isEqualTo(0xffff8eb09f4323f8L);
    assertThat(value(first, X86_64.RDX)).isEqualTo(0xffff8eb09f4323f9L);
    assertThat(value(first, X86_64.RSI)).isEqualTo(0xffff8eb09f4323faL);
    assertThat(value(first, X86_64.RDI)).isEqualTo(0xffff8eb0811fa168L);
    assertThat(value(first, X86_64.RBP)).isEqualTo(0xffffd06e40013cd8L);
    assertThat(value(first, X86_64.RSP)).isEqualTo(0xffffd06e40013c90L);
    assertThat(value(first, X86_64.R8)).isEqualTo(0xffff8eb09f4323fbL);
    assertThat(value(first, X86_64.R9)).isEqualTo(0x314471b0L);
    assertThat(value(first, X86_64.R10)).isEqualTo(0xfffffffbL);
    assertThat(value(first, X86_64.R11)).isZero();
    assertThat(value(first, X86_64.R12)).isEqualTo(0xffff8eb0811fa0c1L);
    assertThat(value(first, X86_64.R13)).isEqualTo(0xffff8eb0811fa0c2L);
    assertThat(value(first, X86_64.R14)).isEqualTo(0xffffffff869982d0L);
    assertThat(value(first, X86_64.R15)).isEqualTo(0xffff8eb0811fab90L);
    assertThat(value(first, X86_64.RIP)).isEqualTo(0xffffffff86010c63L);
    assertThat(value(first, X86_64.RFLAGS)).isEqualTo(0x86);
    assertThat(value(first, X86_64.CS)).isEqualTo(0x10);
    assertThat(value(first, X86_64.SS)).isEqualTo(0x18);
    assertThat(value(first, X86_64.FS_BASE)).isEqualTo(7);
    assertThat(value(first, X86_64.GS_BASE)).isEqualTo(0xffff8eb09f400000L);
    assertThat(value(first, X86_64.TR)).isEqualTo(0x40);
    assertThat(value(first, X86_64.TR_BASE)).isEqualTo(0xfffffe0000003000L);
    assertThat(value(first, X86_64.GDT_BASE)).isEqualTo(0xfffffe0000001000L);
    assertThat(value(first, X86_64.GDT_LIMIT)).isEqualTo(0x7f);
    assertThat(value(first, X86_64.IDT_BASE)).isEqualTo(0xfffffe0000000000L);
    assertThat(value(first, X86_64.IDT_LIMIT)).isEqualTo(0xfff);
    assertThat(value(first, X86_64.CR0)).isEqualTo(0x80050033L);
    assertThat(value(first, X86_64.CR2)).isEqualTo(0xffff8eb092a01000L);
    assertThat(value(first, X86_64.CR3)).isEqualTo(0x11c10000L);
    assertThat(value(first, X86_64.CR4)).isEqualTo(0x750eb0L);
    assertThat(first.get(X86_64.KERNEL_GS_BASE)).isEmpty();
    assertThat(first.get(X86_64.ORIG_RAX)).isEmpty();
    Registers second = states.getLast().registers();
    assertThat(value(second, X86_64.RIP)).isEqualTo(0x401000);
    assertThat(value(second, X86_64.CS)).isEqualTo(0x33);
    assertThat(second.get(X86_64.R15)).isEmpty();
  }

  @Test
  void readsACpuThatHasNotLeftRealMode() {
    Registers registers = MonitorRegisters.x86(REAL_MODE).getFirst().registers();

    assertThat(value(registers, X86_64.RIP)).isEqualTo(0xfff0);
    assertThat(value(registers, X86_64.RDX)).isEqualTo(0x60fb1);
    assertThat(value(registers, X86_64.CS)).isEqualTo(0xf000);
    assertThat(value(registers, X86_64.CR4)).isZero();
    assertThat(registers.get(X86_64.R8)).isEmpty();
  }

  @Test
  void readsArmRegisters() {
    String text =
        """

        CPU#0
         PC=ffffd6ce7d0f6d34 X00=ffffd6ce7e0c9ac0 X01=0000000000000001
        X02=0000000000000002 X03=0000000000000003 X31=0000000000000031
        X29=ffffd6ce7ea43d90 X30=ffffd6ce7d0f6d28  SP=ffffd6ce7ea43d80
        PSTATE=600000c5 -ZC- EL1h    FPCR=00000000 FPSR=00000000

        CPU#1
         PC=0000000000000004
        """;
    List<MonitorRegisters.State> states = MonitorRegisters.aarch64(text);
    assertThat(states).hasSize(2);
    Registers first = states.getFirst().registers();
    assertThat(value(first, Aarch64.PC)).isEqualTo(0xffffd6ce7d0f6d34L);
    assertThat(value(first, Aarch64.x(0))).isEqualTo(0xffffd6ce7e0c9ac0L);
    assertThat(value(first, Aarch64.x(3))).isEqualTo(3);
    assertThat(value(first, Aarch64.FP)).isEqualTo(0xffffd6ce7ea43d90L);
    assertThat(value(first, Aarch64.LR)).isEqualTo(0xffffd6ce7d0f6d28L);
    assertThat(value(first, Aarch64.SP)).isEqualTo(0xffffd6ce7ea43d80L);
    assertThat(value(first, Aarch64.PSTATE)).isEqualTo(0x600000c5L);
    assertThat(first.get(Aarch64.x(4))).isEmpty();
    assertThat(first.get(Aarch64.TTBR1_EL1)).isEmpty();
  }

  @Test
  void survivesAnything() {
    assertThat(MonitorRegisters.x86("")).isEmpty();
    assertThat(MonitorRegisters.x86("CPU#\nRAX=1")).isEmpty();
    assertThat(MonitorRegisters.x86("CPU#99999999999999\nRAX=1\nCPU#3\nRAX=1")).hasSize(2);
    Fuzz.run(
        TWO.getBytes(StandardCharsets.US_ASCII),
        2000,
        bytes ->
            assertThat(MonitorRegisters.x86(new String(bytes, StandardCharsets.ISO_8859_1)))
                .hasSizeLessThan(100));
  }

  private static long value(Registers registers, Register register) {
    return registers.get(register).orElseThrow();
  }
}
