// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.testkit.ElfCoreWriter;
import dev.fathom.testkit.ElfWriter;
import dev.fathom.testkit.ElfWriter.Relocation;
import dev.fathom.testkit.Fuzz;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

class ElfSectionsTest {
  private static final byte[] TEXT =
      "some text that is said again and again and again"
          .repeat(9)
          .getBytes(StandardCharsets.US_ASCII);

  private static ElfFile read(ElfWriter writer) {
    return ElfFile.read(ByteSource.of("file", writer.build()));
  }

  private static byte[] bytes(Optional<ByteSource> source) {
    return source.orElseThrow().bytes(0, (int) source.get().size());
  }

  @ParameterizedTest
  @CsvSource({"false,false", "false,true", "true,false", "true,true"})
  void readsSectionsAndSymbolsOfBothClassesAndByteOrders(boolean narrow, boolean big) {
    var writer = new ElfWriter().type(2);
    if (narrow) {
      writer.bits32();
    }
    if (big) {
      writer.bigEndian();
    }
    int text = writer.loaded(".text", 0x8000_1000L, true, TEXT);
    writer.nobits(".bss", 0x8000_2000L, 0x400);
    writer.compressed(".debug_info", TEXT);
    writer.zdebug(".zdebug_line", TEXT);
    writer.function("start", text, 0x8000_1004L, 12);
    var file = read(writer);

    var header = file.sections().named(".text").orElseThrow();
    assertThat(header.index()).isEqualTo(1);
    assertThat(header.addr()).isEqualTo(0x8000_1000L);
    assertThat(header.size()).isEqualTo(TEXT.length);
    assertThat(header.isLoaded()).isTrue();
    assertThat(header.contains(0x8000_1000L)).isTrue();
    assertThat(header.contains(0x8000_0fffL)).isFalse();
    assertThat(bytes(file.sections().raw(header))).isEqualTo(TEXT);
    assertThat(file.sections().raw(file.sections().named(".bss").orElseThrow())).isEmpty();
    assertThat(bytes(file.sections().relocated(".debug_info"))).isEqualTo(TEXT);
    assertThat(bytes(file.sections().relocated(".debug_line"))).isEqualTo(TEXT);
    assertThat(file.sections().relocated(".debug_info").orElseThrow().name())
        .isEqualTo("file(.debug_info)");
    assertThat(file.sections().relocated(".debug_str")).isEmpty();
    var symbols = file.symtab().orElseThrow();
    assertThat(symbols.count()).isEqualTo(2);
    assertThat(symbols.name(1)).isEqualTo("start");
    assertThat(symbols.value(1)).isEqualTo(0x8000_1004L);
    assertThat(symbols.size(1)).isEqualTo(12);
    assertThat(symbols.section(1)).isEqualTo(text);
    assertThat(symbols.type(1)).isEqualTo(Elf.STT_FUNC);
    assertThat(symbols.binding(1)).isEqualTo(Elf.STB_GLOBAL);
    assertThat(symbols.nameEquals(1, "start".getBytes(StandardCharsets.US_ASCII))).isTrue();
    assertThat(symbols.nameEquals(1, "star".getBytes(StandardCharsets.US_ASCII))).isFalse();
    assertThat(symbols.nameHash(1))
        .isEqualTo(ElfSymtab.hash("start".getBytes(StandardCharsets.US_ASCII)));
  }

  @Test
  void readsMoreSectionsThanFitInTheHeader() {
    var writer = new ElfWriter();
    for (int i = 1; i < 70_000; i++) {
      writer.section(".text." + i, new byte[] {(byte) i});
    }
    writer.function("in_abs_range", 0xfff1 + 1, 3, 1);
    writer.function("far", 69_999, 7, 1);
    writer.symbol(new ElfWriter.Symbol("absolute", 9, 0, ElfWriter.SHN_ABS, 1 << 4));
    var file = read(writer);

    assertThat(file.sections().all()).hasSize(70_004);
    assertThat(file.sections().get(69_999).name()).isEqualTo(".text.69999");
    var symbols = file.symtab().orElseThrow();
    assertThat(symbols.section(1)).isEqualTo(0xfff2);
    assertThat(symbols.hasSection(1)).isTrue();
    assertThat(symbols.section(2)).isEqualTo(69_999);
    assertThat(symbols.isAbsolute(3)).isTrue();
    assertThat(symbols.hasSection(3)).isFalse();
  }

  @Test
  void decompressesZstd() {
    var writer = new ElfWriter();
    writer.compressed(".debug_info", Elf.ELFCOMPRESS_ZSTD, TEXT.length, Zstd.compress(TEXT));
    assertThat(bytes(read(writer).sections().relocated(".debug_info"))).isEqualTo(TEXT);
  }

  @Test
  void refusesBombsAndLies() {
    byte[] zeros = new byte[8 << 20];
    var bomb = new ElfWriter();
    bomb.compressed(".debug_info", Elf.ELFCOMPRESS_ZSTD, 100, Zstd.compress(zeros));
    assertThatThrownBy(() -> read(bomb).sections().relocated(".debug_info"))
        .isInstanceOf(BadDataException.class)
        .hasMessage("file(.debug_info): at offset 0x18: holds more than 100 bytes");

    var claims = new ElfWriter();
    claims.compressed(".debug_info", 1, 1L << 40, new byte[50]);
    assertThatThrownBy(() -> read(claims).sections().relocated(".debug_info"))
        .hasMessageContaining("claims to hold 1099511627776 bytes, but 50 compressed bytes hold");

    var shorter = new ElfWriter();
    shorter.compressed(".debug_info", Elf.ELFCOMPRESS_ZSTD, TEXT.length + 1, Zstd.compress(TEXT));
    assertThatThrownBy(() -> read(shorter).sections().relocated(".debug_info"))
        .hasMessageContaining("expected the declared " + (TEXT.length + 1));

    var unknown = new ElfWriter();
    unknown.compressed(".debug_info", 7, 10, new byte[50]);
    assertThatThrownBy(() -> read(unknown).sections().relocated(".debug_info"))
        .hasMessageContaining("compression type 7");
  }

  @ParameterizedTest
  @CsvSource({"62,false,true,1,10", "3,true,false,1,1", "183,false,true,257,258"})
  void relocatesDebugSections(int machine, boolean narrow, boolean rela, int wide, int half) {
    var writer = new ElfWriter().machine(machine);
    if (narrow) {
      writer.bits32();
    }
    int text = writer.loaded(".text", 0, true, new byte[0x30]);
    int init = writer.loaded(".init.text", 0, true, new byte[0x30]);
    byte[] content = new byte[24];
    ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).putInt(8, rela ? 0x77 : 5);
    int info = writer.section(".debug_info", content);
    int a = writer.function("a", text, 0x10, 4);
    int b = writer.function("b", init, 0x20, 4);
    writer.relocations(
        (rela ? ".rela" : ".rel") + ".debug_info",
        info,
        rela,
        List.of(new Relocation(0, wide, a, rela ? 2 : 0), new Relocation(8, half, b, 5)));
    var file = read(writer);
    var got =
        ByteBuffer.wrap(bytes(file.sections().relocated(".debug_info")))
            .order(ByteOrder.LITTLE_ENDIAN);

    long initAt = file.sections().address(file.sections().get(init));
    assertThat(initAt).isGreaterThan(0x30);
    assertThat(narrow ? got.getInt(0) : got.getLong(0)).isEqualTo(rela ? 0x12 : 0x10);
    assertThat(got.getInt(8)).isEqualTo((int) initAt + 0x25);
    assertThat(got.getInt(12)).isZero();
  }

  @Test
  void relocatesRelativeToThePlace() {
    var writer = new ElfWriter();
    int text = writer.loaded(".text", 0, true, new byte[0x30]);
    int frames = writer.loaded(".eh_frame", 0, false, new byte[16]);
    int a = writer.function("a", text, 0x10, 4);
    writer.relocations(".rela.eh_frame", frames, true, List.of(new Relocation(8, 2, a, 3)));
    var file = read(writer);
    var got = ByteBuffer.wrap(bytes(file.sections().relocated(".eh_frame")));
    long place = file.sections().address(file.sections().get(frames)) + 8;
    assertThat(got.order(ByteOrder.LITTLE_ENDIAN).getInt(8)).isEqualTo((int) (0x13 - place));
  }

  @Test
  void namesTheRelocationThatItDoesNotKnow() {
    var writer = new ElfWriter();
    int info = writer.section(".debug_info", new byte[16]);
    int a = writer.function("a", 1, 0x10, 4);
    writer.relocations(".rela.debug_info", info, true, List.of(new Relocation(8, 99, a, 0)));
    assertThatThrownBy(() -> read(writer).sections().relocated(".debug_info"))
        .hasMessage(
            "file(.rela.debug_info): at offset 0x0: relocation type 99 of x86_64 at offset 0x8 of"
                + " .debug_info is not known in debug sections");
  }

  @Test
  void refusesRelocationsOutsideTheSection() {
    var writer = new ElfWriter();
    int info = writer.section(".debug_info", new byte[16]);
    int a = writer.function("a", 1, 0x10, 4);
    writer.relocations(".rela.debug_info", info, true, List.of(new Relocation(9, 1, a, 0)));
    assertThatThrownBy(() -> read(writer).sections().relocated(".debug_info"))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("relocation of offset 0x9 by symbol 1");
  }

  @Test
  void findsBuildIdAndLinks() {
    var writer = new ElfWriter();
    writer.notes(
        ".note.gnu.build-id", ElfCoreWriter.noteRegion("GNU", 3, new byte[] {(byte) 0xab, 1, 2}));
    writer.section(".gnu_debuglink", new byte[] {'x', '.', 'd', 0, 0x78, 0x56, 0x34, (byte) 0x92});
    writer.section(".gnu_debugaltlink", new byte[] {'a', '/', 'b', 0, 1, 2, 3, 4});
    var file = read(writer);
    assertThat(file.buildId().map(BuildId::hex)).contains("ab0102");
    assertThat(file.sections().debugLink()).contains(new DebugLink("x.d", 0x92345678L));
    assertThat(file.sections().altLink()).contains(new AltLink("a/b", BuildId.parse("01020304")));
  }

  @Test
  void findsTheBuildIdInSegmentsWithoutSections() {
    byte[] core =
        new ElfCoreWriter().type(Elf.ET_DYN).note("GNU", 3, new byte[] {1, 2, 3, 4}).build();
    assertThat(ElfFile.read(ByteSource.of("image", core)).buildId().map(BuildId::hex))
        .contains("01020304");
  }

  @Test
  void readsMiniDebugInfo() throws IOException {
    var inner = new ElfWriter().type(3);
    inner.function("local_function", inner.loaded(".text", 0x1000, true, new byte[8]), 0x1000, 8);
    var out = new ByteArrayOutputStream();
    try (var xz = new XZOutputStream(out, new LZMA2Options(1))) {
      xz.write(inner.build());
    }
    var writer = new ElfWriter().stripped();
    writer.section(".gnu_debugdata", out.toByteArray());
    var mini = read(writer).sections().miniDebugInfo().orElseThrow();
    assertThat(mini.symtab().orElseThrow().name(1)).isEqualTo("local_function");

    var damaged = new ElfWriter().stripped();
    byte[] half = java.util.Arrays.copyOf(out.toByteArray(), out.size() / 2);
    damaged.section(".gnu_debugdata", half);
    assertThatThrownBy(() -> read(damaged).sections().miniDebugInfo())
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("file(.gnu_debugdata): at offset 0x0: corrupt");
  }

  /** The dynamic segment leads to names and symbols when there are no section headers. */
  @ParameterizedTest
  @CsvSource({"0,false", "4096,true"})
  void readsTheDynamicSegmentOfWhatIsLoaded(long moved, boolean loaded) {
    var image = ByteBuffer.allocate(0x400).order(ByteOrder.LITTLE_ENDIAN);
    long[] dynamic = {
      Elf.DT_NEEDED,
      1,
      Elf.DT_SONAME,
      11,
      Elf.DT_DEBUG,
      0x7000,
      Elf.DT_STRTAB,
      0x100 + moved,
      Elf.DT_STRSZ,
      0x40,
      Elf.DT_SYMTAB,
      0x180 + moved,
      Elf.DT_SYMENT,
      24,
      Elf.DT_GNU_HASH,
      0x200 + moved,
      0,
      0,
      Elf.DT_NEEDED,
      5
    };
    for (int i = 0; i < dynamic.length; i++) {
      image.putLong(0x300 + 8 * i, dynamic[i]);
    }
    image.put(0x101, "libc.so.6\0me.so\0run\0".getBytes(StandardCharsets.US_ASCII));
    image.putInt(0x180 + 24, 17).put(0x180 + 28, (byte) 0x12).putShort(0x180 + 30, (short) 5);
    image.putLong(0x180 + 32, 0x44).putLong(0x180 + 40, 6);
    // One bucket, first symbol 1, one word of bloom filter; a chain of one.
    image.putInt(0x200, 1).putInt(0x204, 1).putInt(0x208, 1).putInt(0x218, 1).putInt(0x21c, 1);
    image.put(0, new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
    image.putShort(16, (short) Elf.ET_DYN).putShort(18, (short) 62);
    image.putLong(32, 64).putShort(54, (short) 56).putShort(56, (short) 2);
    image.putInt(64, Elf.PT_LOAD).putLong(64 + 32, 0x400).putLong(64 + 40, 0x400);
    image.putInt(120, Elf.PT_DYNAMIC).putLong(128, 0x300).putLong(136, 0x300).putLong(152, 0xa0);
    var source = ByteSource.of("image", image.array());
    var file = loaded ? ElfFile.readLoaded(source, moved) : ElfFile.read(source);

    var segment = file.dynamic().orElseThrow();
    assertThat(segment.needed()).containsExactly("libc.so.6");
    assertThat(segment.soname()).contains("me.so");
    assertThat(segment.value(Elf.DT_DEBUG)).hasValue(0x7000);
    assertThat(segment.value(Elf.DT_RPATH)).isEmpty();
    var symbols = file.dynsym().orElseThrow();
    assertThat(symbols.count()).isEqualTo(2);
    assertThat(symbols.name(1)).isEqualTo("run");
    assertThat(symbols.value(1)).isEqualTo(0x44);
  }

  @Test
  void survivesDamage() {
    var writer = new ElfWriter();
    int text = writer.loaded(".text", 0, true, TEXT);
    int info = writer.compressed(".debug_info", TEXT);
    writer.zdebug(".zdebug_line", TEXT);
    writer.compressed(".debug_str", Elf.ELFCOMPRESS_ZSTD, TEXT.length, Zstd.compress(TEXT));
    writer.section(".gnu_debuglink", new byte[] {'x', 0, 0, 0, 1, 2, 3, 4});
    writer.section(".gnu_debugaltlink", new byte[] {'x', 0, 0, 0, 1, 2, 3, 4});
    writer.notes(".note.gnu.build-id", ElfCoreWriter.noteRegion("GNU", 3, new byte[20]));
    int a = writer.function("a", text, 4, 4);
    writer.relocations(".rela.debug_info", info, true, List.of(new Relocation(8, 1, a, 0)));
    writer.segment(Elf.PT_DYNAMIC, 6, 0x1000, new byte[64], 64);
    byte[] good = writer.build();
    use(good);
    Fuzz.run(good, 4000, ElfSectionsTest::use);
    // Damage to the section headers, which stand at the end.
    int headers = (int) ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN).getLong(40);
    byte[] tail = java.util.Arrays.copyOfRange(good, headers, good.length);
    Fuzz.run(
        tail,
        4000,
        damaged -> {
          byte[] whole = java.util.Arrays.copyOf(good, headers + damaged.length);
          System.arraycopy(damaged, 0, whole, headers, damaged.length);
          use(whole);
        });
  }

  private static void use(byte[] bytes) {
    var file = ElfFile.read(ByteSource.of("fuzz", bytes));
    file.buildId();
    file.dynamic().ifPresent(ElfDynamic::needed);
    file.dynsym();
    file.symtab()
        .ifPresent(
            table -> {
              for (int i = 0; i < table.count(); i++) {
                table.nameHash(i);
                if (table.isNamed(i)) {
                  table.name(i);
                }
              }
            });
    var sections = file.sections();
    sections.debugLink();
    sections.altLink();
    for (var section : sections.all()) {
      try {
        sections.relocated(section);
      } catch (BadDataException e) {
        assertThat(e.source()).startsWith("fuzz"); // costs this section only
      }
    }
  }
}
