// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.base.TextRenderer;
import dev.fathom.cli.demo.Demo;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.testkit.lab.Lab;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code fathom demo}. */
@Command(
    name = "demo",
    description = "Crash a real guest and look at its dump.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Boots Debian's kernel in QEMU with a few processes and modules, lets one module write",
      "through a null pointer, takes the dump and runs Fathom's commands on it. Needs Debian's",
      "apt-get; what is missing is downloaded the first time. Cleans up after itself.",
      "",
      "  fathom demo",
      "  fathom demo --keep crash && fathom open crash/dump.elf",
    })
final class DemoCommand implements Callable<Integer> {
  @Option(
      names = "--keep",
      paramLabel = "FOLDER",
      description = "Keep the dump, in this new folder.")
  private Path keep;

  @Override
  public Integer call() throws IOException {
    var console = Console.standard();
    if (keep != null && Files.exists(keep)) {
      console.err().append("fathom: ").append(keep.toString()).append(" exists already\n");
      console.flush();
      return Problems.FAILED;
    }
    var folder = keep == null ? Files.createTempDirectory("fathom-demo") : keep;
    var cleaner = new Thread(() -> delete(folder), "demo cleaner");
    if (keep == null) {
      Runtime.getRuntime().addShutdownHook(cleaner);
    }
    try {
      var word = TextRenderer.Options.PLAIN.wordBytes();
      var sink =
          new TextRenderer(
              console.out(),
              console.err(),
              new TextRenderer.Options("fathom", console.width(), word, false));
      var lab = Lab.open(Lab.defaultCache(), line -> say(console, "... " + line));
      var options = new KernelOptions(Optional.empty(), true, console.progress());
      boolean good = new Demo(lab, console.out(), sink).run(folder, options);
      say(console, "");
      say(
          console,
          keep == null
              ? "The dump is gone again; with --keep FOLDER it stays for you to look at."
              : "Go on with: fathom open " + folder.resolve("dump.elf"));
      return good ? 0 : Problems.FAILED;
    } finally {
      console.flush();
      if (keep == null) {
        delete(folder);
        Runtime.getRuntime().removeShutdownHook(cleaner);
      }
    }
  }

  private static void say(Console console, String line) {
    try {
      console.out().append(line).append('\n');
      console.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void delete(Path folder) {
    try {
      Demo.delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
