// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.vmcoreinfo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.testkit.Fuzz;
import dev.fathom.testkit.LittleEndian;
import dev.fathom.testkit.VmcoreinfoWriter;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class VmcoreinfoTest {
  private static VmcoreinfoWriter kernel() {
    var writer =
        new VmcoreinfoWriter()
            .osRelease("6.1.0-56-cloud-amd64")
            .buildId("69f4c0ffee69f4c0ffee69f4c0ffee69f4c0ffee")
            .pageSize(4096)
            .symbol("init_uts_ns", 0xffffffff98a1bd40L)
            .symbol("swapper_pg_dir", 0xffffffff98a10000L)
            .offset("list_head.next", 0)
            .size("list_head", 16)
            .length("zone.free_area", 11)
            .number("PG_slab", 9)
            .number("phys_base", -0x1000000)
            .line("NUMBER(sme_mask)=0x800000000000")
            .kernelOffset(0x16a00000)
            .line("CONFIG_X86_64=y")
            .line("CRASHTIME=1763683200");
    for (int i = 0; i < 10; i++) {
      writer.offset("page.member" + i, 8L * i);
    }
    return writer;
  }

  private static Vmcoreinfo parse(byte[] text) {
    return Vmcoreinfo.parse(ByteSource.of("note", text));
  }

  @Test
  void readsEveryKindOfLine() {
    var info = parse(kernel().bytes());
    assertThat(info.osRelease()).contains("6.1.0-56-cloud-amd64");
    assertThat(info.buildId()).contains("69f4c0ffee69f4c0ffee69f4c0ffee69f4c0ffee");
    assertThat(info.pageSize()).hasValue(4096);
    assertThat(info.symbol("swapper_pg_dir")).hasValue(0xffffffff98a10000L);
    assertThat(info.size("list_head")).hasValue(16);
    assertThat(info.offset("list_head.next")).hasValue(0);
    assertThat(info.length("zone.free_area")).hasValue(11);
    assertThat(info.number("phys_base")).hasValue(-0x1000000);
    assertThat(info.number("sme_mask")).hasValue(1L << 47);
    assertThat(info.kernelOffset()).hasValue(0x16a00000);
    assertThat(info.crashTime()).hasValue(1763683200);
    assertThat(info.config("X86_64")).isTrue();
    assertThat(info.config("X86_PAE")).isFalse();
    assertThat(info.symbol("no_such_symbol")).isEmpty();
    assertThat(info.skippedLines()).isZero();
    assertThat(info.isTrustworthy()).isTrue();
  }

  @Test
  void skipsWhatIsNoLineAndStopsAtNul() {
    var info =
        parse("A=1\nrubbish\n\u0007=2\n=3\n\nB==4\nA=5\nC=6".getBytes(StandardCharsets.UTF_8));
    assertThat(info.values())
        .containsExactly(
            java.util.Map.entry("A", "1"),
            java.util.Map.entry("B", "=4"),
            java.util.Map.entry("C", "6"));
    assertThat(info.skippedLines()).isEqualTo(3);
    assertThat(parse("A=1\n\0B=2\n".getBytes(StandardCharsets.UTF_8)).values())
        .containsOnlyKeys("A");
    assertThat(parse(new byte[0]).values()).isEmpty();
  }

  @Test
  void namesANumberThatIsNone() {
    var info = parse("SYMBOL(_stext)=xyz\nSIZE(page)=12q\n".getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> info.symbol("_stext"))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("note")
        .hasMessageContaining("SYMBOL(_stext)=xyz");
    assertThatThrownBy(() -> info.size("page")).hasMessageContaining("decimal");
  }

  @Test
  void doesNotTrustFragments() {
    assertThat(
            parse("OSRELEASE=6.1\nPAGESIZE=4096\n".getBytes(StandardCharsets.UTF_8))
                .isTrustworthy())
        .isFalse();
    assertThat(parse(kernel().line("SIZE(page)=sixty").bytes()).isTrustworthy()).isFalse();
    var text = new String(kernel().bytes(), StandardCharsets.UTF_8);
    assertThat(
            parse(text.replace("PAGESIZE=4096", "PAGESIZE=4095").getBytes(StandardCharsets.UTF_8))
                .isTrustworthy())
        .isFalse();
    assertThat(
            parse(text.replace("OSRELEASE", "RELEASE").getBytes(StandardCharsets.UTF_8))
                .isTrustworthy())
        .isFalse();
  }

  @Test
  void recognisesATextInMemory() {
    byte[] text = kernel().bytes();
    var memory =
        new LittleEndian()
            .cString("OSRELEASE=%s\nBUILD-ID=%20phN\n")
            .align(4096)
            .bytes(text)
            .u8(0)
            .align(4096)
            .bytes("OSRELEASE=6.1\n\u00ff".getBytes(StandardCharsets.ISO_8859_1))
            .toByteArray();
    var segment = MemorySegment.ofArray(memory);
    assertThat(Vmcoreinfo.lengthAt(segment, 0)).as("the kernel's format string").isEmpty();
    assertThat(Vmcoreinfo.lengthAt(segment, 4096)).hasValue(text.length);
    assertThat(Vmcoreinfo.lengthAt(segment, 8192)).as("followed by rubbish").isEmpty();
    assertThat(Vmcoreinfo.lengthAt(segment, 4097)).isEmpty();
    assertThat(Vmcoreinfo.lengthAt(segment, memory.length - 3)).isEmpty();
    assertThat(Vmcoreinfo.lengthAt(segment, -1)).isEmpty();
  }

  @Test
  void survivesDamage() {
    Fuzz.run(
        kernel().bytes(),
        2000,
        bytes -> {
          var info = parse(bytes);
          if (info.isTrustworthy()) {
            assertThat(info.pageSize()).isPresent();
          }
          Vmcoreinfo.lengthAt(MemorySegment.ofArray(bytes), 0);
          info.kernelOffset();
          info.number("phys_base");
        });
  }
}
