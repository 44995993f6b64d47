// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.source;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.ByteSource;
import dev.fathom.base.Range;
import dev.fathom.format.dwarf.CallFrames;
import dev.fathom.format.dwarf.Dwarf;
import dev.fathom.format.dwarf.DwarfNames;
import dev.fathom.format.dwarf.DwarfSections;
import dev.fathom.format.dwarf.LineFiles;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.format.elf.PrStatus;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Layout;
import dev.fathom.model.Memory;
import dev.fathom.model.Program;
import dev.fathom.model.Registers;
import dev.fathom.model.SymbolTable;
import dev.fathom.model.Value;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.source.SourceFrame;
import dev.fathom.model.source.Variable;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.TypeSystem;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.model.unwind.Stack;
import dev.fathom.model.unwind.Stacks;
import dev.fathom.model.unwind.UnwindRow;
import dev.fathom.model.unwind.Unwinder;
import dev.fathom.symbols.CfiUnwindSource;
import dev.fathom.symbols.dwarf.DwarfTypeSource;
import dev.fathom.symbols.elf.Placement;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Programs compiled here, stopped by gdb and kept as cores: what gdb says, we say. */
class DwarfSourceTest {
  private static final String PROGRAM =
      """
      struct pair { int a; int b; };
      struct item { struct item *next; int key; char name[8]; };
      volatile int sink;
      __attribute__((noinline)) int leaf(int x, struct item *it) { sink = x; return sink + it->key; }
      static inline int twice(int t) {
        int u = t * 2;
        sink = u;
        struct item local = { 0, u, "loc" };
        int r = leaf(u, &local);
        sink = r;
        return r + u;
      }
      __attribute__((noinline)) int middle(int n, struct pair p, long big) {
        int sum = p.a + p.b;
        for (int i = 0; i < n; i++) {
          int inner = i + sum;
          if (i == 2)
            sum += twice(inner);
          sink = inner;
        }
        return sum + (int) big;
      }
      __attribute__((noinline)) int lost(int gone, int kept) {
        static int counted = 7;
        volatile int many[kept];
        for (int i = 0; i < kept; i++) many[i] = i * 10;
        sink = gone;
        int r = middle(kept, (struct pair) { 3, 4 }, 0x123456789aL);
        sink = r;
        return r + kept + counted++ + many[kept - 1];
      }
      int main(int argc, char **argv) {
        int k = argc + 4;
        return lost(argc + 40, k) > 0 ? 0 : 1;
      }
      """;

  @TempDir static Path folder;

  /** A program, its core, and what gdb said. */
  private record Stopped(Path binary, ElfFile core, List<String> told) {}

  private static String run(String... command) throws IOException {
    var process =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }

  private static Stopped stop(int version, String level) throws IOException {
    Files.writeString(folder.resolve("program.c"), PROGRAM);
    var name = "program" + version + level;
    var said = run("gcc", "-g", "-gdwarf-" + version, level, "-no-pie", "program.c", "-o", name);
    assertThat(folder.resolve(name)).as(said).exists();
    var core = "core" + version + level;
    var told =
        run(
            "gdb",
            "-q",
            "-batch",
            "-nx",
            "-ex",
            "set confirm off",
            "-ex",
            "set print frame-arguments all",
            "-ex",
            "set print entry-values no",
            "-ex",
            "set debuginfod enabled off",
            "-ex",
            "break leaf",
            "-ex",
            "run",
            "-ex",
            "gcore " + core,
            "-ex",
            "bt -full",
            "./" + name);
    assertThat(folder.resolve(core)).as(told).exists();
    return new Stopped(
        folder.resolve(name), ElfFile.read(source(folder.resolve(core))), told.lines().toList());
  }

  private static ByteSource source(Path file) throws IOException {
    return ByteSource.of(file.getFileName().toString(), Files.readAllBytes(file));
  }

  /** A program over the memory of a core. */
  record CoreProgram(AddressSpace memory, TypeSystem types) implements Program {
    @Override
    public Architecture architecture() {
      return X86_64.INSTANCE;
    }

    @Override
    public Memory physical() {
      return memory;
    }

    @Override
    public SymbolTable symbols() {
      throw new IllegalStateException("no symbols here");
    }

    @Override
    public Value global(String name) {
      throw new IllegalStateException("no symbols here");
    }

    @Override
    public long epoch() {
      return 0;
    }
  }

  /** Everything is stack, and text where the program has it. */
  private record ProcessStacks(Range text) implements Stacks {
    @Override
    public Optional<Stack> containing(long sp) {
      return Optional.of(new Stack("stack", new Range(0, 0x7fff_ffff_ffffL), Optional.empty()));
    }

    @Override
    public boolean isText(long address) {
      return text.contains(address);
    }

    @Override
    public boolean isReturnAddress(long address) {
      return false;
    }

    @Override
    public Callee callee(long returnAddress, long pc) {
      return Callee.ANY;
    }

    @Override
    public Optional<UnwindRow> savedRegisters(long address) {
      return Optional.empty();
    }

    @Override
    public Optional<UnwindRow> interruptFrame(long address) {
      return Optional.empty();
    }

    @Override
    public Optional<String> outermost(Registers caller) {
      return Optional.empty();
    }
  }

  private record Opened(Program program, DwarfSource source, Backtrace trace) {}

  private static DwarfSections sections(ElfFile elf, String name) {
    return new DwarfSections() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public ByteOrder order() {
        return elf.header().order();
      }

      @Override
      public Optional<ByteSource> find(String section) {
        return elf.sections().relocated(section);
      }
    };
  }

  private static Opened open(Stopped stopped) throws IOException {
    var elf = ElfFile.read(source(stopped.binary()));
    var memory = new HeapMemory("process", Layout.LITTLE_64);
    var registers = Registers.none(X86_64.INSTANCE.registers());
    for (var segment : stopped.core().programHeaders()) {
      if (segment.type() == 1 && segment.filesz() > 0) {
        var bytes = stopped.core().bytesOf(segment).orElseThrow();
        memory.put(segment.vaddr(), bytes.bytes(0, (int) bytes.size()));
      }
      if (segment.type() == 4) {
        for (var note : stopped.core().notes(segment).notes()) {
          if (note.is("CORE", 1)) {
            registers = registers(PrStatus.decode(note));
          }
        }
      }
    }
    var eh = elf.sections().named(".eh_frame").orElseThrow();
    var frames =
        CallFrames.ofEhFrame(
            elf.sections().content(eh).orElseThrow(),
            ByteOrder.LITTLE_ENDIAN,
            8,
            eh.addr(),
            OptionalLong.empty(),
            OptionalLong.empty());
    var dwarf = Dwarf.open(sections(elf, "program"));
    var types = new DwarfTypeSource("dwarf", () -> DwarfNames.build(dwarf, 1));
    var system = new TypeSystem(8);
    system.add(types);
    var program = new CoreProgram(memory, system);
    var source =
        new DwarfSource(
            "dwarf",
            dwarf,
            types,
            Optional.of(frames),
            X86_64.INSTANCE,
            Placement.asLinked(),
            () -> LineFiles.build(dwarf, 2));
    var text = elf.sections().named(".text").orElseThrow();
    var unwinder =
        new Unwinder(
            memory,
            List.of(new CfiUnwindSource("cfi", frames, X86_64.INSTANCE, 0)),
            new ProcessStacks(Range.of(text.addr(), text.size())),
            100);
    return new Opened(program, source, unwinder.backtrace(registers, true));
  }

  private static Registers registers(PrStatus status) {
    var registers = Registers.none(X86_64.INSTANCE.registers());
    for (var reg : PrStatus.Reg.values()) {
      var name = reg.name().toLowerCase(java.util.Locale.ROOT);
      var register = X86_64.INSTANCE.registers().named(name);
      if (register.isPresent()) {
        registers = registers.with(register.get(), status.get(reg));
      }
    }
    return registers;
  }

  private static final Pattern FRAME =
      Pattern.compile("#(\\d+)\\s+(?:0x[0-9a-f]+ in )?(\\w+) \\((.*)\\) at (.*)");
  private static final Pattern LOCAL = Pattern.compile("        (\\w+) = (.*)");

  @ParameterizedTest
  @CsvSource({"5,-O0", "5,-O2", "4,-O2", "2,-O0"})
  void agreesWithGdbOnEveryFrameAndVariable(int version, String level) throws IOException {
    var stopped = stop(version, level);
    var opened = open(stopped);
    var ours = new ArrayList<String>();
    for (var frame : SourceFrame.of(opened.program(), opened.source(), opened.trace())) {
      var activation = frame.activation().orElseThrow();
      var arguments =
          activation.parameters().stream()
              .map(v -> v.name() + "=" + text(opened.program(), v, frame))
              .toList();
      var line = activation.line().orElseThrow();
      ours.add(
          "#"
              + frame.number()
              + " "
              + activation.function()
              + " ("
              + String.join(", ", arguments)
              + ") at "
              + line.file()
              + ":"
              + line.line());
      for (var local : activation.locals()) {
        ours.add(local.name() + " = " + text(opened.program(), local, frame));
      }
    }
    var theirs = new ArrayList<String>();
    for (var line : stopped.told()) {
      var frame = FRAME.matcher(line);
      var local = LOCAL.matcher(line);
      if (frame.matches()) {
        theirs.add(
            "#"
                + frame.group(1)
                + " "
                + frame.group(2)
                + " ("
                + frame.group(3)
                + ") at "
                + frame.group(4));
      } else if (local.matches()) {
        theirs.add(local.group(1) + " = " + local.group(2));
      }
    }
    // gdb names a variable that was dropped in one block a second time.
    theirs.removeIf(said -> said.endsWith(" = <optimized out>") && !ours.contains(said));
    assertThat(opened.source().problems()).isEmpty();
    assertThat(ours).isNotEmpty();
    var missed = new ArrayList<>(ours);
    missed.removeAll(theirs);
    assertThat(missed).as("gdb says%n%s", String.join("\n", stopped.told())).isEmpty();
    assertThat(theirs).hasSameElementsAs(ours);
  }

  /** A value in gdb's words. */
  private static String text(Program program, Variable variable, SourceFrame frame) {
    return switch (variable.in(frame.view())) {
      case Variable.Gone(String why) -> "<" + why + ">";
      case Variable.AtEntry(Value _) -> "<optimized out>";
      case Variable.Present(Value value) -> text(program, value);
    };
  }

  private static String text(Program program, Value value) {
    if (value.type().resolved() instanceof CompositeType composite) {
      var parts = new ArrayList<String>();
      for (var member : composite.members()) {
        parts.add(member.name() + " = " + text(program, value.member(member.name())));
      }
      return "{" + String.join(", ", parts) + "}";
    }
    var type = value.type().text();
    if (type.startsWith("volatile int [")) {
      var array = (ArrayType) value.type().resolved();
      return LongStream.range(0, array.count().orElseThrow())
          .mapToObj(i -> text(program, value.index(i)))
          .collect(Collectors.joining(", ", "{", "}"));
    }
    if (type.startsWith("char [")) {
      var bytes = new StringBuilder();
      for (int i = 0; i < 8; i++) {
        long c = value.index(i).asLong();
        bytes.append(c == 0 ? "\\000" : Character.toString((int) c));
      }
      var text = bytes.toString();
      return "\"" + text.substring(0, text.length() - 4) + "\"";
    }
    return type.endsWith("*")
        ? "0x" + Long.toHexString(value.asLong())
        : Long.toString(value.asLong());
  }

  @Test
  void placesOfLines() throws IOException {
    var opened = open(stop(5, "-O2"));
    var places = opened.source().places("program.c", 9);
    assertThat(places).isNotEmpty();
    assertThat(places.getFirst().function()).isEqualTo("twice");
    for (var place : places) {
      assertThat(place.line().line()).isEqualTo(9);
      assertThat(opened.source().covers(place.address())).isTrue();
    }
    // A line without code stands for the next one that has.
    assertThat(opened.source().places("program.c", 3).getFirst().line().line()).isEqualTo(4);
    assertThat(opened.source().places("other.c", 9)).isEmpty();
  }

  /** Lines and inlined functions of sampled addresses are those that addr2line gives. */
  @Test
  void agreesWithAddr2line() throws IOException {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new Random(seed);
    var stopped = stop(5, "-O2");
    var opened = open(stopped);
    var text = ElfFile.read(source(stopped.binary())).sections().named(".text").orElseThrow();
    for (int i = 0; i < 40; i++) {
      long pc = text.addr() + random.nextLong(text.size());
      var said =
          run("addr2line", "-i", "-f", "-e", stopped.binary().toString(), Long.toHexString(pc))
              .lines()
              .map(l -> l.replaceAll(" \\(discriminator.*", ""))
              .toList();
      var ours = new ArrayList<String>();
      for (var activation : opened.source().activations(pc)) {
        ours.add(activation.function());
        ours.add(activation.line().orElseThrow().text());
      }
      if (!ours.isEmpty()) {
        assertThat(ours).as("seed %d, %x", seed, pc).isEqualTo(said);
      }
    }
  }
}
