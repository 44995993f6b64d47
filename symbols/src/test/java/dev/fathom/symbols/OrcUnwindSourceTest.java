// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.ByteSource;
import dev.fathom.format.orc.Orc;
import dev.fathom.format.orc.OrcLayout;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.unwind.Frame;
import dev.fathom.model.unwind.Rule;
import dev.fathom.model.unwind.UnwindRow;
import dev.fathom.testkit.OrcWriter;
import dev.fathom.testkit.OrcWriter.Type;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class OrcUnwindSourceTest {
  private static final long TABLE = 0xffffffff82c5d5c0L;
  private static final long TEXT = 0xffffffff81000000L;

  private static UnwindRow row(int sp, int spOffset, int bp, int bpOffset, Type type) {
    return row(sp, spOffset, bp, bpOffset, type, false);
  }

  private static UnwindRow row(
      int sp, int spOffset, int bp, int bpOffset, Type type, boolean signal) {
    var w = new OrcWriter(OrcWriter.Layout.V6_4, TABLE);
    w.entry(TEXT, sp, spOffset, bp, bpOffset, type, signal);
    w.entry(TEXT + 0x10, OrcWriter.UNDEFINED, 0, OrcWriter.UNDEFINED, 0, Type.UNDEFINED, false);
    w.entry(TEXT + 0x20, OrcWriter.UNDEFINED, 0, OrcWriter.UNDEFINED, 0, Type.UNDEFINED, false);
    var orc =
        Orc.parse(
            ByteSource.of("ip", w.ips()), TABLE, ByteSource.of("orc", w.entries()), OrcLayout.V6_4);
    var source = OrcUnwindSource.of(orc);
    assertThat(source.rowAt(TEXT + 0x10)).isEmpty();
    assertThat(source.rowAt(TEXT - 1)).isEmpty();
    assertThat(source.rowAt(TEXT)).isEqualTo(source.rowAt(TEXT + 0xf)).isPresent();
    assertThat(source.how()).isEqualTo(Frame.How.ORC);
    return source.rowAt(TEXT).orElseThrow();
  }

  @Test
  void aCallReturnsBelowItsFrame() {
    var row = row(OrcWriter.SP, 24, OrcWriter.PREV_SP, -16, Type.CALL);
    assertThat(row.kind()).isEqualTo(UnwindRow.Kind.CALL);
    assertThat(row.cfa()).isEqualTo(new Rule.RegPlus(X86_64.RSP, 24));
    assertThat(row.rules())
        .isEqualTo(Map.of(X86_64.RIP, new Rule.AtCfa(-8), X86_64.RBP, new Rule.AtCfa(-16)));
    assertThat(row(OrcWriter.BP, 16, OrcWriter.UNDEFINED, 0, Type.CALL).rules())
        .containsEntry(X86_64.RBP, new Rule.Same());
    assertThat(row(OrcWriter.BP, 16, OrcWriter.BP, 8, Type.CALL).rules())
        .containsEntry(X86_64.RBP, new Rule.AtReg(X86_64.RBP, 8, 0));
  }

  @Test
  void everyBaseHasItsRule() {
    assertThat(row(OrcWriter.BP, 16, 0, 0, Type.CALL).cfa())
        .isEqualTo(new Rule.RegPlus(X86_64.RBP, 16));
    assertThat(row(OrcWriter.BP_INDIRECT, -8, 0, 0, Type.CALL).cfa())
        .isEqualTo(new Rule.AtReg(X86_64.RBP, -8, 0));
    assertThat(row(OrcWriter.SP_INDIRECT, 8, 0, 0, Type.CALL).cfa())
        .isEqualTo(new Rule.AtReg(X86_64.RSP, 0, 8));
    assertThat(row(OrcWriter.SP_INDIRECT, 8, 0, 0, Type.REGS).cfa())
        .isEqualTo(new Rule.AtReg(X86_64.RSP, 8, 0));
    assertThat(row(OrcWriter.R10, 0, 0, 0, Type.CALL).cfa())
        .isEqualTo(new Rule.RegPlus(X86_64.R10, 0));
    assertThat(row(OrcWriter.R13, 0, 0, 0, Type.CALL).cfa())
        .isEqualTo(new Rule.RegPlus(X86_64.R13, 0));
    assertThat(row(OrcWriter.DI, 0, 0, 0, Type.CALL).cfa())
        .isEqualTo(new Rule.RegPlus(X86_64.RDI, 0));
    assertThat(row(OrcWriter.DX, 0, 0, 0, Type.CALL).cfa())
        .isEqualTo(new Rule.RegPlus(X86_64.RDX, 0));
  }

  @Test
  void savedRegistersAreAllRestored() {
    var regs = row(OrcWriter.SP, 8, 0, 0, Type.REGS, true);
    assertThat(regs.kind()).isEqualTo(UnwindRow.Kind.INTERRUPTED);
    assertThat(regs.rules())
        .hasSize(21)
        .containsEntry(X86_64.RIP, new Rule.AtCfa(128))
        .containsEntry(X86_64.RSP, new Rule.AtCfa(152))
        .containsEntry(X86_64.R15, new Rule.AtCfa(0));
    var partial = row(OrcWriter.SP, 0, 0, 0, Type.REGS_PARTIAL, true);
    assertThat(partial.kind()).isEqualTo(UnwindRow.Kind.INTERRUPTED_PARTIAL);
    assertThat(partial.rules())
        .containsEntry(X86_64.RIP, new Rule.AtCfa(0))
        .containsEntry(X86_64.RSP, new Rule.AtCfa(24))
        .containsEntry(X86_64.RBX, new Rule.Same());
    assertThat(row(OrcWriter.SP, 8, 0, 0, Type.REGS, false).kind())
        .as("without signal the pc is like a return address")
        .isEqualTo(UnwindRow.Kind.CALL);
    assertThat(row(OrcWriter.UNDEFINED, 0, 0, 0, Type.END_OF_STACK).kind())
        .isEqualTo(UnwindRow.Kind.END);
  }
}
