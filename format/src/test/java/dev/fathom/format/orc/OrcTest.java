// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.orc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.Range;
import dev.fathom.testkit.Fuzz;
import dev.fathom.testkit.OrcWriter;
import java.util.Arrays;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class OrcTest {
  private static final long TABLE = 0xffffffff82c5d5c0L;
  private static final long TEXT = 0xffffffff81000000L;

  /** Text with plain functions, an interrupt's entry and the end of a stack. */
  private static OrcWriter table(OrcWriter.Layout layout) {
    var w = new OrcWriter(layout, TABLE);
    for (int i = 0; i < 10; i++) {
      w.call(TEXT + 0x100L * i, 8);
      w.entry(
          TEXT + 0x100L * i + 4,
          OrcWriter.BP,
          16,
          OrcWriter.PREV_SP,
          -16,
          OrcWriter.Type.CALL,
          false);
      w.entry(
          TEXT + 0x100L * i + 0x80,
          OrcWriter.UNDEFINED,
          0,
          OrcWriter.UNDEFINED,
          0,
          OrcWriter.Type.UNDEFINED,
          false);
    }
    w.entry(TEXT + 0x1000, OrcWriter.SP, 0, OrcWriter.UNDEFINED, 0, OrcWriter.Type.REGS, true);
    w.entry(
        TEXT + 0x1010, OrcWriter.SP, -8, OrcWriter.UNDEFINED, 0, OrcWriter.Type.REGS_PARTIAL, true);
    w.entry(
        TEXT + 0x1020,
        OrcWriter.SP_INDIRECT,
        8,
        OrcWriter.UNDEFINED,
        0,
        OrcWriter.Type.CALL,
        false);
    w.entry(
        TEXT + 0x1030,
        OrcWriter.UNDEFINED,
        0,
        OrcWriter.UNDEFINED,
        0,
        OrcWriter.Type.END_OF_STACK,
        false);
    return w.entry(
        TEXT + 0x1040,
        OrcWriter.UNDEFINED,
        0,
        OrcWriter.UNDEFINED,
        0,
        OrcWriter.Type.UNDEFINED,
        false);
  }

  private static Orc parse(OrcWriter w) {
    return Orc.parse(ByteSource.of("ip", w.ips()), TABLE, ByteSource.of("orc", w.entries()));
  }

  /** As the linker leaves them, before the kernel or its build has sorted them. */
  @Test
  void tellsWhetherAddressesAscend() {
    var sorted = table(OrcWriter.Layout.V6_4);
    assertThat(parse(sorted).isSorted()).isTrue();
    assertThat(parse(sorted.call(TEXT + 0x20, 8)).isSorted()).isFalse();
  }

  private static OrcEntry at(Orc orc, long pc) {
    return orc.entry(orc.find(pc).orElseThrow());
  }

  @ParameterizedTest
  @EnumSource
  void tellsTheLayoutAndDecodesEntries(OrcWriter.Layout layout) {
    var orc = parse(table(layout));
    assertThat(orc.layout().name()).isEqualTo(layout.name());
    assertThat(orc.count()).isEqualTo(35);
    assertThat(orc.range()).isEqualTo(new Range(TEXT, TEXT + 0x1040));
    var call =
        new OrcEntry(OrcEntry.Base.SP, 8, OrcEntry.Base.UNDEFINED, 0, OrcEntry.Type.CALL, false);
    assertThat(at(orc, TEXT)).isEqualTo(call);
    assertThat(at(orc, TEXT + 3)).isEqualTo(call);
    assertThat(at(orc, TEXT + 0x304))
        .isEqualTo(
            new OrcEntry(
                OrcEntry.Base.BP, 16, OrcEntry.Base.PREV_SP, -16, OrcEntry.Type.CALL, false));
    // Before 4.18 nothing told the end of a stack from unknown code.
    assertThat(at(orc, TEXT + 0x3ff).type())
        .isEqualTo(
            layout == OrcWriter.Layout.V4_14
                ? OrcEntry.Type.END_OF_STACK
                : OrcEntry.Type.UNDEFINED);
    assertThat(at(orc, TEXT + 0x1000))
        .isEqualTo(
            new OrcEntry(
                OrcEntry.Base.SP, 0, OrcEntry.Base.UNDEFINED, 0, OrcEntry.Type.REGS, true));
    assertThat(at(orc, TEXT + 0x101f))
        .isEqualTo(
            new OrcEntry(
                OrcEntry.Base.SP,
                -8,
                OrcEntry.Base.UNDEFINED,
                0,
                OrcEntry.Type.REGS_PARTIAL,
                true));
    assertThat(at(orc, TEXT + 0x1020).sp()).isEqualTo(OrcEntry.Base.SP_INDIRECT);
    assertThat(at(orc, TEXT + 0x1030).type()).isEqualTo(OrcEntry.Type.END_OF_STACK);
    assertThat(orc.find(TEXT - 1)).isEmpty();
    assertThat(orc.find(TEXT + 0x1040)).as("the last entry only marks the end").isEmpty();
    assertThat(orc.find(TEXT + 0x1030)).isEqualTo(OptionalInt.of(33));
    assertThat(orc.raw(0)).isEqualTo(orc.raw(3)).isNotEqualTo(orc.raw(1));
  }

  @Test
  void readsAModulesTablesWithTheKernelsLayout() {
    var w = new OrcWriter(OrcWriter.Layout.V6_4, TABLE);
    w.entry(
        TEXT, OrcWriter.UNDEFINED, 0, OrcWriter.UNDEFINED, 0, OrcWriter.Type.END_OF_STACK, false);
    w.entry(
        TEXT + 16, OrcWriter.UNDEFINED, 0, OrcWriter.UNDEFINED, 0, OrcWriter.Type.UNDEFINED, false);
    assertThatThrownBy(() -> parse(w))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("no known layout");
    var orc =
        Orc.parse(
            ByteSource.of("ip", w.ips()), TABLE, ByteSource.of("orc", w.entries()), OrcLayout.V6_4);
    assertThat(at(orc, TEXT + 15).type()).isEqualTo(OrcEntry.Type.END_OF_STACK);
  }

  @Test
  void refusesTablesOfDifferentLengths() {
    var w = table(OrcWriter.Layout.V6_4);
    assertThatThrownBy(
            () ->
                Orc.parse(
                    ByteSource.of("ip", w.ips()),
                    TABLE,
                    ByteSource.of("orc", Arrays.copyOf(w.entries(), w.entries().length - 6))))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("six for four");
  }

  @Test
  void emptyTablesAnswerNothing() {
    var nothing = ByteSource.of("empty", new byte[0]);
    var orc = Orc.parse(nothing, TABLE, nothing, OrcLayout.V6_4);
    assertThat(orc.find(TEXT)).isEmpty();
    assertThat(orc.range().isEmpty()).isTrue();
  }

  @ParameterizedTest
  @EnumSource
  void survivesDamage(OrcWriter.Layout layout) {
    var w = table(layout);
    Fuzz.run(w.entries(), 500, bytes -> use(w.ips(), bytes));
    Fuzz.run(w.ips(), 500, bytes -> use(bytes, w.entries()));
  }

  private static void use(byte[] ips, byte[] entries) {
    var orc = Orc.parse(ByteSource.of("ip", ips), TABLE, ByteSource.of("orc", entries));
    for (int i = 0; i < orc.count(); i++) {
      assertThat(orc.entry(i)).isNotNull();
      orc.find(orc.address(i));
    }
    orc.range();
  }
}
