// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.base.JsonRenderer;
import dev.fathom.base.Sink;
import dev.fathom.base.TextRenderer;
import dev.fathom.command.Settings;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.session.Session;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What the subcommands share that look at a target: options, command lines, the prompt. */
abstract class LookCommand implements Callable<Integer> {
  @Option(
      names = {"-e", "--execute"},
      paramLabel = "LINE",
      description = "Run this command line; may be given more than once.")
  private List<String> lines = new ArrayList<>();

  @Option(
      names = "--types",
      paramLabel = "FILE",
      description =
          "Read types and variables from this file of C text, as ::cheader does; may be given more"
              + " than once.")
  private List<String> headers = new ArrayList<>();

  @Option(names = "--json", description = "Write one JSON document for each command line.")
  private boolean json;

  @Option(
      names = "--color",
      paramLabel = "WHEN",
      description = "When to use colour: auto, always, never.",
      defaultValue = "auto")
  private Colour colour;

  @Option(names = "--no-index", description = "Neither read nor write the index on disk.")
  private boolean noIndex;

  @Mixin private DebugFileOptions debugFiles;

  @Option(
      names = "--ignore-vmcoreinfo",
      description = "Find the kernel from CPU state and memory alone.")
  private boolean ignoreVmcoreinfo;

  @Option(names = "--no-shell", description = "Refuse commands that start a shell or write a file.")
  private boolean noShell;

  @Option(
      names = {"-q", "--quiet"},
      description = "Say nothing of the target before the first command.")
  private boolean quiet;

  /** {@code --color}; the names are those that users type. */
  enum Colour {
    auto,
    always,
    never
  }

  /** Opens what the arguments name. */
  abstract Session open(KernelOptions options);

  /** Settings that this subcommand has options for. */
  void prepare(Settings settings) {}

  @Override
  public Integer call() throws IOException {
    var console = Console.standard();
    var index = noIndex ? Optional.<Path>empty() : Folders.index();
    var options =
        new KernelOptions(
            index, !ignoreVmcoreinfo, console.progress(), debugFiles.files(console.progress()));
    try (var session = open(options)) {
      console.progress().clear();
      var service = StandardCommands.over(session);
      service.environment().settings().shellAllowed(!noShell);
      prepare(service.environment().settings());
      var warnings = new Warnings(session, quiet ? _ -> {} : console::warn);
      warnings.show();
      for (var header : headers) {
        if (!service.run("::cheader '" + header + "'", sink(console)).ok()) {
          return Problems.FAILED;
        }
      }
      if (lines.isEmpty() && !json && console.interactive()) {
        try (var repl = Repl.open(session, service, warnings, coloured(console))) {
          repl.run(quiet);
        }
        return 0;
      }
      if (!json) {
        service.environment().settings().screen(console);
      }
      var sink = json || quiet ? sink(console) : warnings.withoutTold(sink(console));
      var batch = new Batch(service, sink, console, warnings);
      boolean good = lines.isEmpty() ? batch.run(System.in) : batch.run(lines);
      return good ? 0 : Problems.FAILED;
    } finally {
      console.flush();
    }
  }

  private Sink sink(Console console) {
    if (json) {
      return new JsonRenderer(console.out());
    }
    int word = TextRenderer.Options.PLAIN.wordBytes();
    return new TextRenderer(
        console.out(),
        console.err(),
        new TextRenderer.Options("fathom", console.width(), word, coloured(console)));
  }

  /** Colour goes to terminals only, unless asked for; NO_COLOR (no-color.org) switches it off. */
  private boolean coloured(Console console) {
    return switch (colour) {
      case always -> true;
      case never -> false;
      case auto -> {
        var no = System.getenv("NO_COLOR");
        yield console.interactive()
            && (no == null || no.isEmpty())
            && !"dumb".equals(System.getenv("TERM"));
      }
    };
  }
}
