// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.Cell;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.symbols.index.TableIndex;
import dev.fathom.target.Cpu;
import dev.fathom.testkit.VmcoreinfoWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The ways to a kernel, with four and five levels of page tables. */
class FindingTest {
  private static String how(Kernel kernel) {
    for (var fact : kernel.facts()) {
      if (fact.key().equals("found_by") && fact.value() instanceof Cell.Text(String text)) {
        return text;
      }
    }
    throw new AssertionError("no fact found_by");
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
    for (var fact : kernel.facts()) {
      if (fact.key().equals("kaslr_offset")) {
        assertThat(fact.value()).isEqualTo(Cell.hex(0x300_0000));
      }
    }
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
