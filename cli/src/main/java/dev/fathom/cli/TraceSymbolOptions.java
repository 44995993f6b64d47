// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.base.MappedFile;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.symbols.elf.ElfSymbols;
import dev.fathom.symbols.elf.Placement;
import dev.fathom.trace.FrameNames;
import dev.fathom.trace.Trace;
import dev.fathom.trace.frame.Backtraces;
import dev.fathom.trace.frame.FrameStyle;
import dev.fathom.trace.frame.SymbolsFile;
import dev.fathom.trace.frame.TableNames;
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
      names = {"-e", "--exe"},
      paramLabel = "ELF",
      description = "Take names from this ELF file, as they are in its symbol table.")
  private Path elf;

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
    var known = elf == null ? trace.names() : functions(elf).or(trace.names());
    var others = Path.of(traceFile + SUFFIX);
    if (symbols != null) {
      return read(symbols).or(known);
    }
    return beside || Files.isRegularFile(others) ? read(others).or(known) : known;
  }

  /** The file stays open as long as the program runs. */
  private static FrameNames functions(Path path) {
    var file = ElfFile.read(MappedFile.open(path));
    return new TableNames(ElfSymbols.of(file, Placement.asLinked(), ""));
  }

  private static FrameNames read(Path path) {
    try (var source = MappedFile.open(path)) {
      return SymbolsFile.read(source);
    }
  }
}
