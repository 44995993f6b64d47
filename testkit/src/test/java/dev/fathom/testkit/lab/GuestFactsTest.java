// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.TargetException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GuestFactsTest {
  @TempDir private Path directory;
  private GuestFacts facts;

  @BeforeEach
  void open() {
    facts = new GuestFacts(directory);
  }

  @Test
  void readsTasks() throws IOException {
    say(
        "tasks",
        status("init", "R (running)", 1, 1, 0, "VmRSS:\t    1756 kB\n")
            + status("kworker/1:1-a b", "I (idle)", 28, 28, 2, "")
            + status("grep", "R (running)", 40, 40, 1, "")
            + status("x:y", "S (sleeping)", 7, 9, 1, "VmRSS:\t       4 kB\n"));

    assertThat(facts.tasks())
        .containsExactly(
            new GuestFacts.Task(1, 1, 0, 'R', 1756, "init"),
            new GuestFacts.Task(28, 28, 2, 'I', 0, "kworker/1:1-a b"),
            new GuestFacts.Task(9, 7, 1, 'S', 4, "x:y"));
    assertThat(facts.tasks())
        .extracting(GuestFacts.Task::leader)
        .containsExactly(true, true, false);
  }

  @Test
  void readsModulesAndSections() throws IOException {
    say(
        "modules",
        """
        virtio_blk 28672 0 - Live 0xffffffffc02ef000
        virtio 20480 2 virtio_blk,virtio_pci, Live 0xffffffffc02dd000
        """);
    say("module_sections", "/sys/module/virtio/sections/.text:0xffffffffc02dd000\n");

    assertThat(facts.modules())
        .containsExactly(
            new GuestFacts.Module("virtio_blk", 28672, 0, List.of(), 0xffffffffc02ef000L),
            new GuestFacts.Module(
                "virtio", 20480, 2, List.of("virtio_blk", "virtio_pci"), 0xffffffffc02dd000L));
    assertThat(facts.sections())
        .containsExactly(new GuestFacts.Section("virtio", ".text", 0xffffffffc02dd000L));
  }

  @Test
  void readsSymbols() throws IOException {
    say(
        "kallsyms",
        """
        ffffffff81000000 T _text
        ffffffff81000100 t twice
        ffffffff81000200 t twice
        ffffffffc02dd000 t _text\t[virtio]
        """);

    assertThat(facts.symbols())
        .contains(
            new GuestFacts.Symbol(0xffffffff81000000L, 'T', "_text", Optional.empty()),
            new GuestFacts.Symbol(0xffffffffc02dd000L, 't', "_text", Optional.of("virtio")));
    assertThat(facts.symbol("_text")).contains(0xffffffff81000000L);
    assertThat(facts.symbol("twice")).isEmpty();
  }

  @Test
  void readsStacks() throws IOException {
    say(
        "stacks",
        """
        /proc/1/task/1/stack:[<0>] do_wait+0x171/0x310
        /proc/1/task/1/stack:[<0>] kernel_wait4+0xa0/0x150
        /proc/1/task/7/stack:[<0>] do_wait+0x171/0x310
        """);

    assertThat(facts.stacks())
        .containsOnlyKeys(1, 7)
        .containsEntry(1, List.of("do_wait+0x171/0x310", "kernel_wait4+0xa0/0x150"));
  }

  @Test
  void readsMappingsAndPhysicalMemory() throws IOException {
    Files.createDirectory(directory.resolve("maps"));
    say(
        "maps/7",
        """
        00400000-00401000 r-xp 00001000 00:02 71                                 /bin/bus y
        7ffe1000-7ffe2000 rw-p 00000000 00:00 0\s
        """);
    say("iomem", "00100000-1ffdcfff : System RAM\n  14600000-15401ef1 : Kernel code\n");

    assertThat(facts.mapped()).containsExactly(7);
    assertThat(facts.mappings(7))
        .containsExactly(
            new GuestFacts.Mapping(0x400000, 0x401000, "r-xp", 0x1000, "/bin/bus y"),
            new GuestFacts.Mapping(0x7ffe1000, 0x7ffe2000, "rw-p", 0, ""));
    assertThat(facts.memory())
        .containsExactly(
            new GuestFacts.Resource(0, 0x100000, 0x1ffdcfff, "System RAM"),
            new GuestFacts.Resource(1, 0x14600000, 0x15401ef1, "Kernel code"));
  }

  @Test
  void readsTheBuildId() throws IOException {
    byte[] notes = {
      6,
      0,
      0,
      0,
      1,
      0,
      0,
      0,
      0,
      1,
      0,
      0,
      'L',
      'i',
      'n',
      'u',
      'x',
      0,
      0,
      0,
      9,
      0,
      0,
      0,
      4,
      0,
      0,
      0,
      3,
      0,
      0,
      0,
      3,
      0,
      0,
      0,
      'G',
      'N',
      'U',
      0,
      1,
      (byte) 0xab,
      3,
      0
    };
    Files.write(directory.resolve("notes"), notes);

    assertThat(facts.buildId()).contains("01ab03");
  }

  @Test
  void namesTheLineThatIsWrong() throws IOException {
    say("tasks", status("init", "R", 1, 1, 0, "") + "Name:\tkaput\nState:\tS\n");

    assertThatThrownBy(facts::tasks)
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("kaput");
    assertThatThrownBy(facts::modules)
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("did not tell modules");
  }

  private static String status(
      String name, String state, int process, int thread, int parent, String more) {
    return "Name:\t%s\nState:\t%s\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\n%s"
        .formatted(name, state, process, thread, parent, more);
  }

  private void say(String name, String text) throws IOException {
    Files.writeString(directory.resolve(name), text, StandardCharsets.ISO_8859_1);
  }
}
