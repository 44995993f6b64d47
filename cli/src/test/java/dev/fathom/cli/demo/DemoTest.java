// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.TextRenderer;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.testkit.lab.Lab;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("lab")
class DemoTest {
  @TempDir private Path directory;

  @Test
  void tellsTheWholeStory() {
    StringWriter out = new StringWriter();
    StringWriter errors = new StringWriter();
    List<String> progress = new ArrayList<>();
    TextRenderer sink = new TextRenderer(out, errors, TextRenderer.Options.PLAIN);
    Lab lab = Lab.open(Lab.defaultCache(), progress::add);

    boolean good =
        new Demo(lab, out, sink)
            .run(
                directory.resolve("demo"),
                new KernelOptions(Optional.empty(), true, Progress.NONE));

    assertThat(errors.toString()).isEmpty();
    assertThat(good).isTrue();
    assertThat(progress).contains("the guest panics", "QEMU writes dump.elf");
    assertThat(out.toString())
        .contains("end Kernel panic - not syncing: Fatal exception")
        .contains("BUG: kernel NULL pointer dereference, address: 0000000000000000")
        .containsSubsequence(
            "> ::findstack -v",
            "fathom_fault`fathom_fault_leaf+6()",
            "fathom_fault`fathom_fault_outer+0xd()",
            "do_one_initcall+0x",
            "entry_SYSCALL_64_after_hwframe+0x",
            "> fathom_fault_leaf+6::dis -n 2",
            "=>    movl",
            "> 0t1::pid2proc | ::ptree",
            "insmod",
            "comm = [ \"insmod\" ]",
            "__do_sys_pause+0x",
            "virtio_blk",
            "> bt",
            "fathom_fault`fathom_fault_leaf+6 at ");
  }
}
