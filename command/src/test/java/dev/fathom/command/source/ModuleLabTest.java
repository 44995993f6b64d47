// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.source;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.TextRenderer;
import dev.fathom.command.CommandService;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.session.Session;
import dev.fathom.target.AttachOptions;
import dev.fathom.testkit.lab.Flavour;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.Recipe;
import dev.fathom.testkit.process.CProgram;
import java.io.IOException;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The dump of a kernel that stood in the middle of a module, called by another one, with the debug
 * files of the modules: files that the kernel relocated section by section. Beside gdb, which is
 * told by hand where the sections are.
 */
@Tag("lab")
@Timeout(1200)
class ModuleLabTest {
  private static final Pattern SECTION =
      Pattern.compile("/sys/module/(\\w+)/sections/(\\S+):(\\S+)");

  /** In this order their files are added. */
  private static final List<String> MODULES = List.of("virtio_blk", "virtio_ring");

  @TempDir private static Path folder;
  private static Path dump;
  private static List<Path> files;
  private static List<String> sections;
  private static Session session;

  @BeforeAll
  static void stopInAModule() throws IOException {
    var lab = Lab.open();
    files = lab.modulesDebug("6.1", MODULES);
    dump = folder.resolve("dump");
    String address;
    try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      address = "127.0.0.1:" + free.getLocalPort();
    }
    try (var guest =
        lab.start(Recipe.healthy("6.1").withCpus(1), List.of("-gdb", "tcp:" + address))) {
      sections = guest.run("grep -H '' /sys/module/virtio_*/sections/.*").lines().toList();
      guest.run(
          "(while :; do dd if=/dev/vda of=/dev/null count=8 iflag=direct; usleep 9999; done) &");
      try (var live =
          Session.attach(
              address,
              AttachOptions.DEFAULT,
              new KernelOptions(Optional.empty(), true, Progress.NONE))) {
        var commands = StandardCommands.over(live);
        commands.environment().settings().writable(true);
        run(commands, "::stop");
        run(commands, "b virtqueue_kick_prepare");
        // Not the notification of another device.
        for (int i = 0; i < 50 && !run(commands, "bt").contains("virtio_queue_rq+"); i++) {
          run(commands, "c");
        }
        assertThat(run(commands, "bt")).contains("virtio_queue_rq+");
        guest.guest().dump(Flavour.ELF_PAGING, dump);
      }
    }
    var all = new ArrayList<>(files);
    all.add(dump);
    session = Session.open(all, new KernelOptions(Optional.empty(), true, Progress.NONE));
  }

  @AfterAll
  static void close() {
    if (session != null) {
      session.close();
    }
  }

  private static String run(CommandService commands, String line) {
    var out = new StringWriter();
    commands.run(line, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
    return out.toString();
  }

  /** What gdb says to each command, with the modules' files where the guest said that they are. */
  private static List<String> gdb(List<String> commands) {
    var all =
        new ArrayList<>(List.of("gdb", "-batch", "-nx", "-iex", "set debuginfod enabled off"));
    all.addAll(List.of("-ex", "set print pretty off", "-ex", "set print symbol off"));
    all.addAll(List.of("-ex", "set confirm off", "-ex", "core-file " + dump));
    for (int i = 0; i < files.size(); i++) {
      var add = new StringBuilder("add-symbol-file " + files.get(i));
      for (var line : sections) {
        var section = SECTION.matcher(line);
        if (section.matches() && section.group(1).equals(MODULES.get(i))) {
          add.append(" -s ").append(section.group(2)).append(' ').append(section.group(3));
        }
      }
      all.addAll(List.of("-ex", add.toString()));
    }
    for (int i = 0; i < commands.size(); i++) {
      all.addAll(List.of("-ex", "echo \\n=" + i + "=\\n", "-ex", commands.get(i)));
    }
    all.addAll(List.of("-ex", "echo \\n=" + commands.size() + "=\\n"));
    var said = CProgram.run(folder, all);
    var answers = new ArrayList<String>();
    for (int i = 0; i < commands.size(); i++) {
      int start = said.indexOf("\n=" + i + "=\n") + ("=" + i + "=").length() + 2;
      answers.add(said.substring(start, said.indexOf("\n=" + (i + 1) + "=\n", start)).strip());
    }
    return answers;
  }

  /** What is written otherwise on purpose: which module, numbers beside letters, paths as built. */
  private static String plain(String said) {
    return said.lines()
        .map(String::strip)
        .map(line -> line.replace("debian/build/build_amd64_none_cloud-amd64/", ""))
        .map(line -> line.replaceFirst("^(#0 +)0x[0-9a-f]+ in ", "$1"))
        .map(line -> line.replaceAll("virtio_[a-z]+`", "").replaceAll(" '(\\\\000|.)'", ""))
        .filter(line -> !line.matches("[0-9]+\t.*") && !line.matches("__\\w+ = <optimized out>"))
        .collect(Collectors.joining("\n"));
  }

  private static void compare(List<String> commands) {
    var ours = StandardCommands.over(session);
    run(ours, "set print pretty off");
    run(ours, "set -c 0");
    var theirs = gdb(commands);
    for (int i = 0; i < commands.size(); i++) {
      var said = run(ours, commands.get(i));
      assertThat(plain(said)).as(commands.get(i)).isEqualTo(plain(theirs.get(i))).isNotEmpty();
    }
  }

  @Test
  void variablesAndTypesOfModulesAreGdbs() {
    compare(
        List.of(
            "p vd_index_ida.xa.xa_flags",
            "p/x virtio_mq_ops.queue_rq",
            "p sizeof(struct virtio_blk)",
            "ptype struct virtblk_req",
            "ptype struct vring_virtqueue"));
  }

  /** The kernel has a variable of that name as well. */
  @Test
  void aNameOfSeveralModulesIsThatOfTheFrame() {
    compare(List.of("frame 1", "p major"));
    var ours = StandardCommands.over(session);
    var major = run(ours, "p virtio_blk::major");
    assertThat(major).isEqualTo(run(ours, "p 'virtio_blk`major'").replace("$2", "$1"));
    assertThat(major).matches("\\$1 = [0-9]{1,3}\n");
  }

  @Test
  void framesInModulesAreGdbs() {
    compare(
        List.of(
            "frame 0",
            "info args",
            "info locals",
            "frame 1",
            "info args",
            "info locals",
            "p vblk->vdev->id",
            "p vblk->tag_set.map",
            "p vblk->disk->queue == req->q",
            "p vbr->out_hdr"));
    assertThat(session.sources().problems()).isEmpty();
  }
}
