// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.Cell;
import dev.fathom.base.Readability;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.model.Layout;
import dev.fathom.model.Memory;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.symbols.index.TableIndex;
import dev.fathom.target.Cpu;
import dev.fathom.testkit.Fuzz;
import dev.fathom.testkit.VmcoreinfoWriter;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The ways to a kernel, with four and five levels of page tables. */
class FindingTest {
  private static String how(Kernel kernel) {
    return fact(kernel, "found_by") instanceof Cell.Text(String text) ? text : "";
  }

  private static Cell fact(Kernel kernel, String key) {
    return kernel.facts().stream()
        .filter(fact -> fact.key().equals(key))
        .findFirst()
        .orElseThrow()
        .value();
  }

  private static void isWhole(Kernel kernel) {
    assertThat(kernel.tasks(_ -> {}).count()).isEqualTo(6);
    assertThat(kernel.program().symbols().first("init_task")).isPresent();
  }

  private static SyntheticKernel kernel(int levels) {
    return new SyntheticKernel(SyntheticKernel.Era.NEW, levels);
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 5})
  void byItsNote(int levels) {
    var kernel = kernel(levels).open();
    isWhole(kernel);
    assertThat(how(kernel)).isEqualTo("VMCOREINFO");
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 5})
  void byCpuState(int levels) {
    var synthetic = kernel(levels);
    var kernel =
        SyntheticKernel.open(synthetic.target(false, synthetic.cpu(0, 0)), true).orElseThrow();
    isWhole(kernel);
    assertThat(how(kernel)).isEqualTo("CPU state");
    assertThat(fact(kernel, "kaslr_offset")).isEqualTo(Cell.hex(0x300_0000));
  }

  @Test
  void byCpuStateOfAUserProcess() {
    var synthetic = kernel(4);
    synthetic.forgetVmcoreinfo();
    var cpu = synthetic.cpu(0, 0);
    // PTI: the user's half of a process's tables is the page behind the kernel's.
    var registers = cpu.registers().with(X86_64.CR3, synthetic.tables.root() | 0x1fff);
    var user = new Cpu(0, registers.with(X86_64.RIP, 0x401000), "test");
    isWhole(SyntheticKernel.open(synthetic.target(false, user), true).orElseThrow());
  }

  @Test
  void byCpuStateWhereTheTopTableIsASinglePage() {
    long root = SyntheticKernel.IMAGE_PHYSICAL + 0x30_1000;
    var synthetic = new SyntheticKernel(SyntheticKernel.Era.NEW, 4, root);
    synthetic.forgetVmcoreinfo();
    var kernel =
        SyntheticKernel.open(synthetic.target(false, synthetic.cpu(0, 0)), true).orElseThrow();
    isWhole(kernel);
    assertThat(how(kernel)).isEqualTo("CPU state");
  }

  @Test
  void theKernelsOwnTablesAreUsedAndNotThoseOfTheProcessThatRan() {
    var synthetic = kernel(4);
    synthetic.forgetVmcoreinfo();
    long copy = 0x6000;
    int root = (int) synthetic.tables.root();
    var table = Arrays.copyOfRange(synthetic.ram.bytes(), root, root + 4096);
    synthetic.ram.put(copy, table);
    var cpu = synthetic.cpu(0, 0);
    var process = new Cpu(0, cpu.registers().with(X86_64.CR3, copy), "test");
    var kernel = SyntheticKernel.open(synthetic.target(false, process), true).orElseThrow();
    synthetic.ram.put(copy, new byte[4096]);
    kernel.refresh();
    isWhole(kernel);
  }

  @Test
  void withoutVmcoreinfoTheIndexIsFoundByTheBuildIdInTheImage(@TempDir Path folder) {
    var synthetic = kernel(4);
    synthetic.forgetVmcoreinfo();
    var id = new byte[20];
    Arrays.fill(id, (byte) 0xab);
    synthetic.put(
        SyntheticKernel.IMAGE + 0x1f_ffc0,
        ByteBuffer.allocate(36)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(4)
            .putInt(id.length)
            .putInt(3)
            .put("GNU\0".getBytes(StandardCharsets.US_ASCII))
            .put(id)
            .array());
    var target = synthetic.target(false, synthetic.cpu(0, 0));
    var options = new KernelOptions(Optional.of(folder), true, Progress.NONE);
    var index = TableIndex.of(folder, "ab".repeat(20));
    assertThat(index.facts("positions", 7)).isEmpty();

    isWhole(new LinuxProvider().attach(target, options).orElseThrow());
    int[] kept = index.facts("positions", 7).orElseThrow();
    isWhole(new LinuxProvider().attach(target, options).orElseThrow());

    // Positions that lead nowhere, or to other bytes, are no danger.
    int[] wrong = kept.clone();
    wrong[0] = Integer.MAX_VALUE;
    index.keepFacts("positions", wrong);
    isWhole(new LinuxProvider().attach(target, options).orElseThrow());
    assertThat(index.facts("positions", 7)).contains(kept);
    wrong = kept.clone();
    wrong[1] += 3;
    index.keepFacts("positions", wrong);
    isWhole(new LinuxProvider().attach(target, options).orElseThrow());
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 5})
  void byVmcoreinfoInMemory(int levels) {
    var kernel = SyntheticKernel.open(kernel(levels).target(false), true).orElseThrow();
    isWhole(kernel);
    assertThat(how(kernel)).isEqualTo("VMCOREINFO found in memory");
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 5})
  void byTheShapeOfItsPageTables(int levels) {
    var synthetic = kernel(levels);
    synthetic.forgetVmcoreinfo();
    var kernel = SyntheticKernel.open(synthetic.target(false), true).orElseThrow();
    isWhole(kernel);
    assertThat(how(kernel)).isEqualTo("page tables found by their shape");
  }

  /** Moved as KASLR does: by 1 GiB times anything; with four levels across root entries too. */
  @ParameterizedTest
  @CsvSource({"4, 0", "4, 0x40000000", "4, 0x12340000000", "5, 0", "5, 0x740000000"})
  void byVirtualMemoryAlone(int levels, long distance) {
    var synthetic = SyntheticKernel.moved(levels, distance);
    // Its number among the stub's threads says nothing: its stack does.
    var target = synthetic.virtualOnly(true, general(synthetic.cpu(7, 0)));
    var kernel = SyntheticKernel.open(target, true).orElseThrow();
    isWhole(kernel);
    assertThat(how(kernel)).isEqualTo("page tables in the kernel's image and its direct map");
    var expected = SyntheticKernel.open(synthetic.target(true), true).orElseThrow();
    for (String key : List.of("kaslr_offset", "phys_base", "paging_levels")) {
      assertThat(fact(kernel, key)).as(key).isEqualTo(fact(expected, key));
    }
    assertThat(
            kernel.cpus().getFirst().registers().flatMap(r -> r.sp().stream().boxed().findFirst()))
        .isEqualTo(Optional.of(synthetic.cpu(0, 0).registers().sp().getAsLong()));
  }

  @Test
  void virtualMemoryWithoutTheKernelsHalfHoldsNoKernel() {
    var synthetic = kernel(4);
    assertThat(SyntheticKernel.open(synthetic.virtualOnly(false), true)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 5})
  void virtualMemoryWithoutADirectMapHoldsNoKernel(int levels) {
    var synthetic = kernel(levels);
    // The root table's copy in the direct map is another page then.
    synthetic.tables.map(
        synthetic.direct + (synthetic.tables.root() & (-2L << 20)), 0, 2L << 20, 0x163);
    synthetic.putTables();
    assertThat(SyntheticKernel.open(synthetic.virtualOnly(true), true)).isEmpty();
  }

  /** The stub shows tables that are not those by which it translates. */
  @ParameterizedTest
  @ValueSource(ints = {4, 5})
  void damagedTablesInVirtualMemory(int levels) {
    var synthetic = kernel(levels);
    var places = synthetic.tables.tables().keySet().stream().sorted().mapToLong(at -> at).toArray();
    var valid = new byte[places.length * 4096];
    for (int i = 0; i < places.length; i++) {
      System.arraycopy(synthetic.ram.bytes(), (int) places[i], valid, i * 4096, 4096);
    }
    Fuzz.run(
        valid,
        60,
        damaged -> {
          var shown = new Ram(synthetic.ram.bytes().length);
          shown.put(0, synthetic.ram.bytes());
          var whole = Arrays.copyOf(damaged, valid.length);
          for (int i = 0; i < places.length; i++) {
            shown.put(places[i], Arrays.copyOfRange(whole, i * 4096, i * 4096 + 4096));
          }
          SyntheticKernel.open(synthetic.virtualOnly(shown, true), true)
              .ifPresent(kernel -> kernel.tasks(_ -> {}).forEach(_ -> {}));
        });
  }

  /** An image full of words that could each be the direct map's address. */
  @Test
  void aDirectMapIsNotSearchedForWithoutEnd() {
    var synthetic = SyntheticKernel.moved(5, 0x740000000L);
    var shown = new Ram(synthetic.ram.bytes().length);
    shown.put(0, synthetic.ram.bytes());
    var tables = synthetic.tables.tables();
    var words = new byte[4096];
    long next = 0xff20_0000_0000_0000L;
    for (long page = 0; page < synthetic.ram.bytes().length; page += 4096) {
      if (!tables.containsKey(page)) {
        for (int at = 0; at < 4096; at += 8) {
          ByteBuffer.wrap(words).order(ByteOrder.LITTLE_ENDIAN).putLong(at, next);
          next += 1L << 30;
        }
        shown.put(page, words);
      }
    }
    var reads = new AtomicInteger();
    var target = synthetic.virtualOnly(new CountedReads(shown, reads), true);
    assertThat(SyntheticKernel.open(target, true)).isEmpty();
    assertThat(reads).hasValueLessThan(100_000);
  }

  private record CountedReads(Memory memory, AtomicInteger reads) implements Memory {
    @Override
    public String name() {
      return memory.name();
    }

    @Override
    public Layout layout() {
      return memory.layout();
    }

    @Override
    public int read(long address, MemorySegment into) {
      reads.incrementAndGet();
      return memory.read(address, into);
    }

    @Override
    public Readability at(long address) {
      return memory.at(address);
    }
  }

  /** The CPU as KGDB shows it. */
  private static Cpu general(Cpu cpu) {
    var registers = Registers.none(cpu.registers().file());
    for (var register : List.of(X86_64.RIP, X86_64.RSP, X86_64.RBP)) {
      registers = registers.with(register, cpu.registers().get(register).orElse(0));
    }
    return new Cpu(cpu.id(), registers, cpu.source());
  }

  @Test
  void vmcoreinfoOfAnotherKernelInMemoryIsPassedOver() {
    var synthetic = kernel(4);
    var other =
        new VmcoreinfoWriter()
            .osRelease("5.0.0-old")
            .pageSize(4096)
            .symbol("swapper_pg_dir", 0xffff_ffff_8260_0000L)
            .number("phys_base", 0);
    for (int i = 0; i < 12; i++) {
      other.size("filler" + i, i);
    }
    synthetic.ram.put(0x8000, other.bytes());
    var kernel = SyntheticKernel.open(synthetic.target(false), true).orElseThrow();
    isWhole(kernel);
    assertThat(how(kernel)).isEqualTo("VMCOREINFO found in memory");
  }

  @Test
  void aNoteThatLiesIsSaidAndNotUsed() {
    var synthetic = kernel(4);
    var text = new String(synthetic.vmcoreinfo, StandardCharsets.US_ASCII);
    synthetic.vmcoreinfo =
        text.replaceFirst("phys_base\\)=-?\\d+", "phys_base)=4096")
            .getBytes(StandardCharsets.US_ASCII);
    var kernel =
        SyntheticKernel.open(synthetic.target(true, synthetic.cpu(0, 0)), true).orElseThrow();
    isWhole(kernel);
    assertThat(how(kernel)).isEqualTo("CPU state");
    assertThat(kernel.warnings()).anyMatch(w -> w.contains("VMCOREINFO"));
  }

  @Test
  void anotherReleaseInMemoryMeansTheNoteLies() {
    var synthetic = kernel(4);
    synthetic.putText(synthetic.symbols.get("init_uts_ns") + 4 + 130, "6.5.0-other");
    synthetic.forgetVmcoreinfo();
    var kernel =
        SyntheticKernel.open(synthetic.target(true, synthetic.cpu(0, 0)), true).orElseThrow();
    assertThat(how(kernel)).isEqualTo("CPU state");
  }

  @Test
  void anUntrustedNoteIsNotLookedAt() {
    var synthetic = kernel(4);
    var kernel =
        SyntheticKernel.open(synthetic.target(true, synthetic.cpu(0, 0)), false).orElseThrow();
    isWhole(kernel);
    assertThat(how(kernel)).isEqualTo("CPU state");
  }

  @Test
  void symbolsThatVmcoreinfoMisplacesAreSearchedFor() {
    var synthetic = kernel(4);
    var text = new String(synthetic.vmcoreinfo, StandardCharsets.US_ASCII);
    synthetic.vmcoreinfo =
        text.replaceFirst("kallsyms_token_index\\)=\\w+", "kallsyms_token_index)=ffffffff84000000")
            .getBytes(StandardCharsets.US_ASCII);
    var kernel = synthetic.open();
    isWhole(kernel);
    assertThat(kernel.warnings()).anyMatch(w -> w.contains("symbols that VMCOREINFO leads to"));
  }

  @Test
  void emptyMemoryHoldsNoKernel() {
    var synthetic = kernel(4);
    var cpu = synthetic.cpu(0, 0);
    Arrays.fill(synthetic.ram.bytes(), (byte) 0);
    assertThat(SyntheticKernel.open(synthetic.target(false), true)).isEmpty();
    assertThat(SyntheticKernel.open(synthetic.target(true, cpu), true)).isEmpty();
  }
}
