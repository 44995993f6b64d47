// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.elf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.ByteSource;
import dev.fathom.base.Range;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.model.Located;
import dev.fathom.model.Symbol;
import dev.fathom.testkit.ElfWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

class ElfSymbolsTest {
  private static final int LOCAL_FUNCTION = 2;
  private static final int LOCAL_NOTYPE = 0;
  private static final int TLS = 6;

  private static ElfSymbols symbols(ElfWriter writer, Placement placement) {
    return ElfSymbols.of(ElfFile.read(ByteSource.of("file", writer.build())), placement, "");
  }

  private static ElfWriter executable() {
    var writer = new ElfWriter().type(3);
    int text = writer.loaded(".text", 0x1000, true, new byte[0x100]);
    int data = writer.nobits(".bss", 0x3000, 0x100);
    writer.symbol(new ElfWriter.Symbol("hidden", 0x1010, 0x10, text, LOCAL_FUNCTION));
    writer.symbol(new ElfWriter.Symbol("loop", 0x1014, 0, text, LOCAL_NOTYPE));
    writer.symbol(new ElfWriter.Symbol("per_thread", 0x10, 8, data, TLS));
    writer.function("start", text, 0x1000, 0x10);
    writer.symbol(new ElfWriter.Symbol("alias", 0x1000, 0x10, text, 2 << 4 | 2));
    writer.symbol(new ElfWriter.Symbol("assembly", 0x1040, 0, text, 1 << 4));
    writer.function("last", text, 0x1050, 0x20);
    writer.object("counter", data, 0x3000, 8);
    writer.symbol(new ElfWriter.Symbol("version", 0x42, 0, ElfWriter.SHN_ABS, 1 << 4));
    writer.symbol(new ElfWriter.Symbol("elsewhere", 0, 0, 0, 1 << 4));
    return writer;
  }

  @Test
  void namesAddresses() {
    var symbols = symbols(executable(), new Placement.Bias(0x555500000000L));

    assertThat(symbols.text(0x555500001000L)).isEqualTo("start"); // rather than the weak alias
    assertThat(symbols.text(0x55550000100fL)).isEqualTo("start+0xf");
    assertThat(symbols.text(0x555500001013L)).isEqualTo("hidden+3");
    // A mark without a size does not take the rest of the function that it stands in.
    assertThat(symbols.text(0x555500001018L)).isEqualTo("hidden+8");
    assertThat(symbols.text(0x555500003007L)).isEqualTo("counter+7");
    assertThat(symbols.threadLocal("per_thread")).hasValue(0x10);
    assertThat(symbols.threadLocal("counter")).isEmpty();
  }

  @Test
  void ofNamesThatAreAlikeElseThePlainestIsShown() {
    var writer = new ElfWriter().type(3);
    int text = writer.loaded(".text", 0x1000, true, new byte[0x100]);
    for (var name : new String[] {"cbrtf64", "__cbrt", "cbrt", "_cbrt", "cbrtf32x"}) {
      writer.symbol(new ElfWriter.Symbol(name, 0x1000, 0x10, text, 2 << 4 | 2));
    }
    assertThat(symbols(writer, Placement.asLinked()).text(0x1004)).isEqualTo("cbrt+4");
  }

  @Test
  void symbolsWithoutSizeReachToTheNext() {
    var symbols = symbols(executable(), Placement.asLinked());
    assertThat(symbols.text(0x104f)).isEqualTo("assembly+0xf");
    assertThat(symbols.named("assembly").getFirst().size()).isEqualTo(0x10);
  }

  @Test
  void gapsBelongToNone() {
    var symbols = symbols(executable(), Placement.asLinked());
    assertThat(symbols.at(0x1030)).isEmpty();
    assertThat(symbols.at(0x1070)).isEmpty();
    assertThat(symbols.at(0xfff)).isEmpty();
    assertThat(symbols.at(-1)).isEmpty();
    assertThat(symbols.at(0x42)).isEmpty(); // an absolute value is no address
  }

  @Test
  void findsNames() {
    var symbols = symbols(executable(), new Placement.Bias(0x10000));
    assertThat(symbols.named("counter"))
        .containsExactly(new Symbol("counter", 0x13000, 8, Symbol.Kind.DATA, 'B', ""));
    assertThat(symbols.named("hidden"))
        .containsExactly(new Symbol("hidden", 0x11010, 0x10, Symbol.Kind.TEXT, 't', ""));
    assertThat(symbols.named("alias").getFirst().letter()).isEqualTo('W');
    assertThat(symbols.named("version"))
        .containsExactly(new Symbol("version", 0x42, 0, Symbol.Kind.ABSOLUTE, 'A', ""));
    assertThat(symbols.named("vmlinux`counter")).hasSize(1);
    assertThat(symbols.named("other`counter")).isEmpty();
    assertThat(symbols.named("per_thread")).isEmpty();
    assertThat(symbols.named("elsewhere")).isEmpty();
    assertThat(symbols.named("start2")).isEmpty();
    assertThat(symbols.completions("a", 9)).containsExactly("alias", "assembly");
    assertThat(symbols.completions("a", 1)).containsExactly("alias");
    assertThat(symbols.count()).isEqualTo(8);
  }

  /** In a full symbol table the linker writes versions behind the names; code asks without. */
  @Test
  void theDefaultVersionOfANameHasThePlainName() {
    var writer = new ElfWriter().type(3);
    int text = writer.loaded(".text", 0x1000, true, new byte[0x100]);
    writer.function("create@@LIB_2.34", text, 0x1010, 0x10);
    writer.function("create@LIB_2.2", text, 0x1030, 0x10);
    writer.function("a@b", text, 0x1050, 0x10);
    var symbols = symbols(writer, Placement.asLinked());
    assertThat(symbols.named("create").stream().map(Symbol::address)).containsExactly(0x1010L);
    assertThat(symbols.text(0x1012)).isEqualTo("create+2");
    assertThat(symbols.named("create@LIB_2.2")).hasSize(1);
    assertThat(symbols.named("a")).isEmpty();
    assertThat(symbols.named("a@b")).hasSize(1);
  }

  @Test
  void sectionsOfModulesArePlacedEach() {
    var writer = new ElfWriter();
    int text = writer.loaded(".text", 0, true, new byte[0x40]);
    int init = writer.loaded(".init.text", 0, true, new byte[0x40]);
    int perCpu = writer.nobits(".data..percpu", 0, 0x20);
    writer.function("run", text, 8, 8);
    writer.function("init_module", init, 8, 8);
    writer.object("hits", perCpu, 0x10, 8);
    var file = ElfFile.read(ByteSource.of("mod.ko", writer.build()));
    var sections = file.sections();
    var placement =
        new Placement.Sections(
            List.of(
                piece(file, ".text", 0xffffffffc0001000L), piece(file, ".data..percpu", 0x2a000)));
    var symbols = ElfSymbols.of(file, placement, "mod");

    assertThat(symbols.text(0xffffffffc000100aL)).isEqualTo("mod`run+2");
    assertThat(symbols.named("init_module")).isEmpty(); // freed after it ran
    assertThat(symbols.perCpuAt(0x2a014).map(Located::text)).contains("mod`hits+4");
    assertThat(symbols.at(0x2a014)).isEmpty();
    assertThat(sections.address(sections.get(text)))
        .isNotEqualTo(sections.address(sections.get(init)));
    assertThat(placement.toFile(0xffffffffc000100aL))
        .hasValue(sections.address(sections.get(text)) + 10);
    assertThat(placement.toFile(0xffffffffc0001040L)).isEmpty();
  }

  private static Placement.Piece piece(ElfFile file, String section, long target) {
    var header = file.sections().named(section).orElseThrow();
    return new Placement.Piece(Range.of(file.sections().address(header), header.size()), target);
  }

  @Test
  void perCpuOffsetsDoNotMoveWithTheKernel() {
    var writer = new ElfWriter().type(2);
    writer.loaded(".text", 0xffffffff81000000L, true, new byte[0x10]);
    int perCpu = writer.loaded(".data..percpu", 0, false, new byte[0x40]);
    writer.object("current_task", perCpu, 0x20, 8);
    var symbols = symbols(writer, new Placement.Bias(0x1a000000));
    assertThat(symbols.named("current_task").getFirst())
        .isEqualTo(new Symbol("current_task", 0x20, 8, Symbol.Kind.PER_CPU, 'R', ""));
  }

  @Test
  void namesOfCxxAreReadable() {
    var writer = new ElfWriter().type(3);
    int text = writer.loaded(".text", 0x1000, true, new byte[0x100]);
    writer.function("_ZN4disk5Queue4pushERKi", text, 0x1000, 0x10);
    writer.function("_Z3maxIiET_S0_S0_", text, 0x1010, 0x10);
    var symbols = symbols(writer, Placement.asLinked());

    assertThat(symbols.text(0x1004)).isEqualTo("disk::Queue::push(int const&)+4");
    for (var name :
        List.of(
            "_ZN4disk5Queue4pushERKi",
            "disk::Queue::push(int const&)",
            "disk::Queue::push",
            "push")) {
      assertThat(symbols.named(name)).as(name).hasSize(1);
    }
    assertThat(symbols.named("max").getFirst().name()).isEqualTo("int max<int>(int, int)");
    assertThat(symbols.named("max<int>")).hasSize(1);
    assertThat(symbols.completions("disk::", 9))
        .containsExactly("disk::Queue::push", "disk::Queue::push(int const&)");
  }

  @Test
  void whatStandsAloneComesBeforeMembers() {
    var writer = new ElfWriter().type(3);
    int text = writer.loaded(".text", 0x1000, true, new byte[0x100]);
    writer.function("_ZN4disk5Queue4pushERKi", text, 0x1000, 0x10);
    writer.function("_Z4pushPKc", text, 0x1010, 0x10);
    writer.function("_ZN12_GLOBAL__N_14pushEd", text, 0x1020, 0x10);
    writer.function("_ZN2ns4textB5cxx11Ei", text, 0x1030, 0x10);
    writer.function("_ZN2ns4swapIiEEvRT_S2_", text, 0x1040, 0x10);
    var symbols = symbols(writer, Placement.asLinked());

    assertThat(symbols.first("push").orElseThrow().name()).isEqualTo("push(char const*)");
    assertThat(symbols.named("push")).hasSize(3);
    assertThat(symbols.exactly("push"))
        .extracting(Symbol::name)
        .containsExactly("push(char const*)", "(anonymous namespace)::push(double)");
    assertThat(symbols.exactly("disk::Queue::push")).hasSize(1);
    assertThat(symbols.exactly("text")).isEmpty();
    assertThat(symbols.exactly("ns::text")).hasSize(1);
    assertThat(symbols.exactly("_Z4pushPKc")).hasSize(1);
    // Blanks that only make a name pleasant do not count.
    assertThat(symbols.named("push( char const * )")).hasSize(1);
    assertThat(symbols.named("ns::swap< int >")).hasSize(1);
    assertThat(symbols.named("push(charconst*)")).isEmpty();
  }
}
