// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.base.MappedFile;
import dev.fathom.trace.FrameNames;
import dev.fathom.trace.Trace;
import dev.fathom.trace.frame.Backtraces;
import dev.fathom.trace.frame.FrameStyle;
import dev.fathom.trace.frame.SymbolsFile;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where the names of functions come from and what else is shown of them. */
final class TraceSymbolOptions {
  private static final String SUFFIX = ".symbols";

  @Option(
      names = {"-S", "--use-symbols-file"},
      description = "Take names from FILE.symbols; done by itself where there is one.")
  private boolean beside;

  @Option(
      names = "--symbols",
      paramLabel = "SYMBOLS",
      description = "Take names from this symbols file.")
  private Path symbols;

  @Option(
      names = {"-x", "--no-resolve"},
      description = "Show addresses, no names.")
  private boolean raw;

  @Option(
      names = {"-L", "--show-line-number"},
      description = "Show line numbers.")
  private boolean line;

  @Option(
      names = {"-A", "--show-address"},
      description = "Show addresses as well.")
  private boolean address;

  @Option(
      names = {"-F", "--show-file-name"},
      description = "Show source files.")
  private boolean file;

  FrameStyle style() {
    return new FrameStyle(file, line, address);
  }

  Backtraces backtraces(Trace trace, Path traceFile) {
    return new Backtraces(names(trace, traceFile));
  }

  FrameNames names(Trace trace, Path traceFile) {
    if (raw) {
      return FrameNames.NONE;
    }
    var others = Path.of(traceFile + SUFFIX);
    if (symbols != null) {
      return read(symbols).or(trace.names());
    }
    return beside || Files.isRegularFile(others) ? read(others).or(trace.names()) : trace.names();
  }

  private static FrameNames read(Path path) {
    try (var source = MappedFile.open(path)) {
      return SymbolsFile.read(source);
    }
  }
}
