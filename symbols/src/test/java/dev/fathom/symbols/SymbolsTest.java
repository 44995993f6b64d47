// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.ByteSource;
import dev.fathom.base.Range;
import dev.fathom.format.kallsyms.Kallsyms;
import dev.fathom.format.kallsyms.KallsymsFinder;
import dev.fathom.format.kallsyms.KallsymsPositions;
import dev.fathom.format.kallsyms.ModuleKallsyms;
import dev.fathom.model.Located;
import dev.fathom.model.Symbol;
import dev.fathom.testkit.KallsymsWriter;
import dev.fathom.testkit.ModuleKallsymsWriter;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class SymbolsTest {
  private static final long TEXT = 0xffffffff81000000L;
  private static final long MODULE = 0xffffffffc0422000L;

  private static KallsymsWriter kernelWriter() {
    return new KallsymsWriter()
        .symbol('A', 0, "fixed_percpu_data")
        .symbol('A', 0, "__per_cpu_start")
        .symbol('A', 0x1f8c0, "const_current_task")
        .symbol('A', 0x1f8c0, "current_task")
        .symbol('A', 0x34000, "__per_cpu_end")
        .symbol('T', TEXT, "_stext")
        .symbol('t', TEXT + 0x40, "do_one")
        .symbol('T', TEXT + 0x100, "vfs_read")
        .symbol('W', TEXT + 0x100, "vfs_read_alias")
        .symbol('T', TEXT + 0x180, "vfs_write")
        .symbol('t', TEXT + 0x200, "do_one")
        .symbol('D', TEXT + 0x1000, "jiffies")
        .symbol('B', TEXT + 0x2000, "_end");
  }

  private static KallsymsSymbols kernel() {
    var written =
        kernelWriter()
            .write(
                KallsymsWriter.Layout.V4_20,
                KallsymsWriter.Form.BASE_RELATIVE_PERCPU,
                new byte[0],
                new byte[0],
                0);
    var memory = ByteSource.of("rodata", written.bytes());
    return KallsymsSymbols.of(Kallsyms.read(memory, KallsymsFinder.find(memory, 0).orElseThrow()));
  }

  private static ModuleSymbols module(String name, long start) {
    var w =
        new ModuleKallsymsWriter()
            .symbol('t', start + 0x100, 0x20, name + "_exit")
            .symbol('r', start + 0x10, 0, ".LC0")
            .symbol('t', start, 0, name + "_open")
            .symbol('t', start + 0x40, 0x30, "do_one")
            .symbol('d', 0x35010, 8, name + "_count")
            .symbol('b', start + 0x2000, 0, name + "_state");
    var table =
        ModuleKallsyms.read(
            ByteSource.of("symtab", w.symtab()),
            ByteSource.of("strtab", w.strtab()),
            Optional.of(ByteSource.of("typetab", w.typetab())));
    return ModuleSymbols.of(
        name, List.of(Range.of(start, 0x1000), Range.of(start + 0x2000, 0x1000)), table);
  }

  @Test
  void locatesAddresses() {
    var table = kernel();
    assertThat(table.text(TEXT + 0x44)).isEqualTo("do_one+4");
    assertThat(table.text(TEXT + 0x120)).as("the first of two names").isEqualTo("vfs_read+0x20");
    assertThat(table.text(TEXT + 0x100)).isEqualTo("vfs_read");
    assertThat(table.text(TEXT + 0x17f)).isEqualTo("vfs_read+0x7f");
    assertThat(table.text(TEXT + 0x180)).isEqualTo("vfs_write");
    assertThat(table.text(TEXT - 1)).isEqualTo("0xffffffff80ffffff");
    assertThat(table.text(TEXT + 0x2000)).isEqualTo("_end");
    assertThat(table.at(TEXT + 0x2001)).as("nothing is known behind the last symbol").isEmpty();
    assertThat(table.at(0x1f8c4)).as("an offset in the per-CPU area is no address").isEmpty();
    assertThat(table.at(0x7fff00000000L)).isEmpty();
  }

  @Test
  void locatesPerCpuVariables() {
    var table = kernel();
    assertThat(table.perCpuAt(0x1f8c4).map(Located::text)).contains("current_task+4");
    assertThat(table.perCpuAt(0).map(Located::text)).contains("fixed_percpu_data");
    assertThat(table.perCpuAt(0x28).map(Located::text)).contains("fixed_percpu_data+0x28");
    assertThat(table.perCpuAt(0x34000)).as("the area's end").isEmpty();
    assertThat(table.perCpuAt(TEXT)).isEmpty();
    var joined = new JoinedSymbols(table, () -> List.of(module("dummy", MODULE)));
    assertThat(joined.perCpuAt(0x1f8c0).map(Located::text)).contains("current_task");
    assertThat(joined.perCpuAt(0x35014).map(Located::text)).contains("dummy`dummy_count+4");
    assertThat(joined.perCpuAt(0x35018)).isEmpty();
    assertThat(joined.perCpuAt(MODULE)).isEmpty();
  }

  @Test
  void knowsSizesAndKinds() {
    var table = kernel();
    assertThat(table.first("vfs_read"))
        .contains(new Symbol("vfs_read", TEXT + 0x100, 0x80, Symbol.Kind.TEXT, 'T', ""));
    assertThat(table.first("vfs_read_alias"))
        .contains(new Symbol("vfs_read_alias", TEXT + 0x100, 0x80, Symbol.Kind.TEXT, 'W', ""));
    assertThat(table.first("jiffies").orElseThrow().kind()).isEqualTo(Symbol.Kind.DATA);
    assertThat(table.first("current_task").orElseThrow())
        .isEqualTo(
            new Symbol("current_task", 0x1f8c0, 0x34000 - 0x1f8c0, Symbol.Kind.PER_CPU, 'A', ""));
    assertThat(table.first("__per_cpu_end").orElseThrow().size()).isZero();
    assertThat(table.first("_end").orElseThrow().size()).isZero();
  }

  @Test
  void findsNames() {
    var table = kernel();
    assertThat(table.named("do_one"))
        .extracting(Symbol::address)
        .containsExactly(TEXT + 0x40, TEXT + 0x200);
    assertThat(table.named("vmlinux`vfs_write")).hasSize(1);
    assertThat(table.named("unix`vfs_write")).hasSize(1);
    assertThat(table.named("ext4`vfs_write")).isEmpty();
    assertThat(table.named("vfs")).isEmpty();
    assertThat(table.named("")).isEmpty();
    assertThat(table.stream().map(Symbol::name)).hasSize(13).contains("_stext", "_end");
    assertThat(table.completions("vfs_", 10))
        .containsExactly("vfs_read", "vfs_read_alias", "vfs_write");
    assertThat(table.completions("vfs_", 2)).containsExactly("vfs_read", "vfs_read_alias");
    assertThat(table.completions("do", 5)).containsExactly("do_one");
  }

  @Test
  void sortsATableThatIsNot() {
    var written =
        kernelWriter()
            .write(
                KallsymsWriter.Layout.V6_4,
                KallsymsWriter.Form.ABSOLUTE,
                new byte[0],
                new byte[0],
                0);
    byte[] bytes = written.bytes();
    // Swap vfs_write and jiffies, as a kernel does that patched itself.
    for (int i = 0; i < 8; i++) {
      byte b = bytes[written.addresses() + 8 * 9 + i];
      bytes[written.addresses() + 8 * 9 + i] = bytes[written.addresses() + 8 * 11 + i];
      bytes[written.addresses() + 8 * 11 + i] = b;
    }
    var memory = ByteSource.of("rodata", bytes);
    var positions =
        new KallsymsPositions(
            written.numSyms(),
            written.names(),
            written.tokenTable(),
            written.tokenIndex(),
            new KallsymsPositions.Addresses.Absolute(written.addresses()));
    var table = KallsymsSymbols.of(Kallsyms.read(memory, positions));
    assertThat(table.text(TEXT + 0x188)).isEqualTo("jiffies+8");
    assertThat(table.text(TEXT + 0x1001)).isEqualTo("vfs_write+1");
    assertThat(table.first("vfs_write").orElseThrow().size()).isEqualTo(0x1000);
  }

  @Test
  void moduleSymbolsStayInTheirRanges() {
    var table = module("dummy", MODULE);
    assertThat(table.text(MODULE + 0x41)).isEqualTo("dummy`do_one+1");
    assertThat(table.first(".LC0")).as("a mark is listed but names no address").isPresent();
    assertThat(table.text(MODULE + 0x39)).isEqualTo("dummy`dummy_open+0x39");
    assertThat(table.text(MODULE + 0x2008)).isEqualTo("dummy`dummy_state+8");
    assertThat(table.at(MODULE + 0x1000)).isEmpty();
    assertThat(table.first("dummy_open").orElseThrow().size()).isEqualTo(0x40);
    assertThat(table.first("dummy_state").orElseThrow().size()).isEqualTo(0x1000);
    assertThat(table.first("dummy_count").orElseThrow().kind()).isEqualTo(Symbol.Kind.PER_CPU);
    assertThat(table.first("dummy_exit").orElseThrow().kind()).isEqualTo(Symbol.Kind.TEXT);
  }

  @Test
  void joinsModulesBehindTheKernel() {
    var asked = new int[1];
    var joined =
        new JoinedSymbols(
            kernel(),
            () -> {
              asked[0]++;
              return List.of(module("dummy", MODULE), module("loop", MODULE + 0x10000));
            });
    assertThat(joined.text(TEXT + 0x44)).isEqualTo("do_one+4");
    assertThat(joined.first("do_one").orElseThrow().module()).isEmpty();
    assertThat(joined.at(0x1000_0000_0000L)).isEmpty();
    assertThat(asked[0]).as("modules are not read for what the kernel answers").isZero();
    assertThat(joined.text(MODULE + 0x10040)).isEqualTo("loop`do_one");
    assertThat(joined.named("do_one"))
        .extracting(Symbol::module)
        .containsExactly("", "", "dummy", "loop");
    assertThat(joined.named("loop`do_one"))
        .extracting(Symbol::address)
        .containsExactly(MODULE + 0x10040);
    assertThat(joined.named("vmlinux`do_one")).hasSize(2);
    assertThat(joined.first("loop_open").orElseThrow().qualified()).isEqualTo("loop`loop_open");
    assertThat(joined.first("nothing")).isEmpty();
    assertThat(joined.stream()).hasSize(25);
    assertThat(joined.completions("d", 10))
        .containsExactly("do_one", "dummy_count", "dummy_exit", "dummy_open", "dummy_state");
    assertThat(joined.completions("loop`loop_", 2))
        .containsExactly("loop`loop_count", "loop`loop_exit");
    assertThat(asked[0]).isEqualTo(1);
  }
}
