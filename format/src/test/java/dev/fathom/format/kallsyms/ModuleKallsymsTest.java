// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.kallsyms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.testkit.Fuzz;
import dev.fathom.testkit.ModuleKallsymsWriter;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class ModuleKallsymsTest {
  private static ModuleKallsymsWriter module() {
    return new ModuleKallsymsWriter()
        .symbol('t', 0xffffffffc0422000L, 0x40, "dummy_xmit")
        .undefined("printk")
        .symbol('t', 0xffffffffc0422000L, 0, "$x")
        .symbol('r', 0xffffffffc0422000L, 0, ".LC0")
        .symbol('T', 0xffffffffc0422040L, 0x10, "dummy_init");
  }

  private static ByteSource source(byte[] bytes) {
    return ByteSource.of("module", bytes);
  }

  private static void assertComplete(ModuleKallsyms table) {
    assertThat(table.count()).isEqualTo(4);
    assertThat(table.isMark(0)).isFalse();
    assertThat(table.name(1)).isEqualTo("$x");
    assertThat(table.isMark(1)).isTrue();
    assertThat(table.name(2)).isEqualTo(".LC0");
    assertThat(table.isMark(2)).isTrue();
    assertThat(table.name(0)).isEqualTo("dummy_xmit");
    assertThat(table.address(0)).isEqualTo(0xffffffffc0422000L);
    assertThat(table.size(0)).isEqualTo(0x40);
    assertThat(table.type(0)).isEqualTo('t');
    assertThat(table.name(3)).isEqualTo("dummy_init");
    assertThat(table.type(3)).isEqualTo('T');
  }

  @Test
  void readsBothPlacesOfTheTypeLetter() {
    var m = module();
    assertComplete(
        ModuleKallsyms.read(
            source(m.symtab()), source(m.strtab()), Optional.of(source(m.typetab()))));
    assertComplete(ModuleKallsyms.read(source(m.symtab()), source(m.strtab()), Optional.empty()));
  }

  @Test
  void refusesMissingLettersAndIgnoresBrokenNames() {
    var m = module();
    assertThatThrownBy(
            () ->
                ModuleKallsyms.read(
                    source(m.symtab()), source(m.strtab()), Optional.of(source(new byte[2]))))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("2 type letters");
    var cut =
        ModuleKallsyms.read(
            source(m.symtab()), source(Arrays.copyOf(m.strtab(), 20)), Optional.empty());
    assertThat(cut.count()).isEqualTo(1);
  }

  @Test
  void survivesDamage() {
    var m = module();
    Fuzz.run(
        m.symtab(),
        1000,
        bytes -> {
          var table = ModuleKallsyms.read(source(bytes), source(m.strtab()), Optional.empty());
          for (int i = 0; i < table.count(); i++) {
            assertThat(table.name(i)).isNotEmpty();
          }
        });
  }
}
