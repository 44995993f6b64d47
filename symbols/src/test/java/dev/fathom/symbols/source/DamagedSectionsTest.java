// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.source;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.CallFrames;
import dev.fathom.format.dwarf.Dwarf;
import dev.fathom.format.dwarf.DwarfNames;
import dev.fathom.format.dwarf.DwarfSections;
import dev.fathom.format.dwarf.Form;
import dev.fathom.format.dwarf.LineFiles;
import dev.fathom.format.dwarf.Tag;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Layout;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.source.Activation;
import dev.fathom.model.source.FrameView;
import dev.fathom.model.source.Variable;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSystem;
import dev.fathom.model.unwind.Frame;
import dev.fathom.symbols.dwarf.DwarfTypeSource;
import dev.fathom.symbols.elf.Placement;
import dev.fathom.testkit.DwarfWriter;
import dev.fathom.testkit.Fuzz;
import dev.fathom.testkit.process.CProgram;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * One section after the other of what gcc wrote is damaged, and everything that is read of debug
 * information is read: each answers, or says in which section at which offset it is wrong.
 */
final class DamagedSectionsTest {
  private static final int INPUTS = 25;

  /** Types that are followed on from one. */
  private static final int MAX_DEPTH = 12;

  private static final String SOURCE =
      """
      #include <stdarg.h>
      enum colour { RED, GREEN = 5, BLUE };
      typedef struct node { struct node *next; enum colour colour; union { int i; float f; }; } node;
      struct bits { unsigned low : 3, high : 29; int grid[2][3]; int (*call)(node *, ...); };
      static node first = { 0, GREEN, { 7 } };
      struct bits bits;
      static volatile int sink;
      static inline int twice(int t) { int u = t * 2; sink = u; return u + sink; }
      __attribute__((noinline)) int leaf(int x, node *it) { sink = x; return sink + it->i; }
      __attribute__((noinline)) int work(int n, int unused) {
        int sum = n;
        for (int i = 0; i < n; i++) { int inner = i + sum; sum += leaf(twice(inner), &first); }
        if (n > 100) { static int counted = 3; sum += counted++; }
        return sum;
      }
      int total(int n, ...) {
        va_list list;
        va_start(list, n);
        int sum = 0;
        while (n-- > 0) sum += va_arg(list, int);
        va_end(list);
        return sum + work(sum, 1);
      }
      """;

  @TempDir static Path folder;

  private record Whole(Map<String, byte[]> sections, List<Long> places, long ehFrameAddress) {}

  private static Whole compile(String options) throws IOException {
    var arguments = new ArrayList<>(List.of("-fPIC", "-nostdlib"));
    arguments.addAll(List.of(options.split(" ")));
    var program = CProgram.compile(folder, "all", SOURCE, arguments.toArray(new String[0]));
    var elf = ElfFile.read(ByteSource.of("all", Files.readAllBytes(program.file())));
    var sections = new LinkedHashMap<String, byte[]>();
    for (var section : elf.sections().all()) {
      var name = section.name();
      if (name.startsWith(".debug_") || name.equals(".eh_frame")) {
        var bytes = elf.sections().relocated(name).orElseThrow();
        sections.put(name, bytes.bytes(0, (int) bytes.size()));
      }
    }
    var text = elf.sections().named(".text").orElseThrow();
    long base = elf.sections().address(text);
    var places = new ArrayList<Long>();
    for (long at = 0; at < text.size(); at += 5) {
      places.add(base + at);
    }
    var eh = elf.sections().named(".eh_frame");
    return new Whole(sections, places, eh.isPresent() ? eh.get().addr() : 0);
  }

  private record Parts(Map<String, byte[]> bytes) implements DwarfSections {
    @Override
    public String name() {
      return "all";
    }

    @Override
    public ByteOrder order() {
      return ByteOrder.LITTLE_ENDIAN;
    }

    @Override
    public Optional<ByteSource> find(String section) {
      return Optional.ofNullable(bytes.get(section)).map(b -> ByteSource.of("all:" + section, b));
    }
  }

  /** Strings and addresses by number, which compilers use in split units. */
  @Test
  void tablesOfStringsAndAddressesAreReadOrNamed() {
    var w = new DwarfWriter();
    var root = w.unit(5, Tag.COMPILE_UNIT).root();
    root.with(At.LANGUAGE, Form.DATA1, 0x1d)
        .with(At.STR_OFFSETS_BASE, Form.SEC_OFFSET, w.tableBase())
        .with(At.ADDR_BASE, Form.SEC_OFFSET, w.tableBase())
        .with(At.NAME, Form.STRX1, "all.c")
        .with(At.LOW_PC, Form.ADDRX, w.address(0x1000))
        .with(At.HIGH_PC, Form.DATA4, 0x100);
    var number = root.child(Tag.BASE_TYPE).with(At.NAME, Form.STRX, "int");
    number.with(At.BYTE_SIZE, Form.DATA1, 4).with(At.ENCODING, Form.DATA1, 5);
    var node = root.child(Tag.STRUCTURE_TYPE).with(At.NAME, Form.STRX2, "node");
    node.with(At.BYTE_SIZE, Form.DATA1, 4).child(Tag.MEMBER).with(At.NAME, Form.STRX4, "i");
    byte[] place = {(byte) 0xa1, (byte) w.address(0x4000)}; // DW_OP_addrx
    var first = root.child(Tag.VARIABLE).with(At.NAME, Form.STRX3, "first");
    first.with(At.TYPE, Form.REF4, number).with(At.LOCATION, Form.EXPRLOC, place);
    var work = root.child(Tag.SUBPROGRAM).with(At.NAME, Form.STRX1, "work");
    work.with(At.LOW_PC, Form.ADDRX, w.address(0x1000)).with(At.HIGH_PC, Form.DATA4, 0x80);
    var sum = work.child(Tag.VARIABLE).with(At.NAME, Form.STRX, "sum");
    sum.with(At.TYPE, Form.REF4, number).with(At.LOCATION, Form.EXPRLOC, place);
    var whole = new Whole(w.sections(), List.of(0x1000L, 0x1040L, 0x1090L), 0);
    var answers = new TreeSet<String>();

    read(new Parts(whole.sections()), whole, answers);

    assertThat(whole.sections()).containsKeys(".debug_str_offsets", ".debug_addr");
    assertThat(answers).contains("struct node", "work", "sum", "first", "names");
    assertThat(answers).doesNotContain("bad");
    damageEach(whole, 200);
  }

  /** Damages one section after the other. */
  private static void damageEach(Whole whole, int inputs) {
    for (var section : whole.sections().entrySet()) {
      Fuzz.run(
          section.getValue(),
          inputs,
          damaged -> {
            var parts = new LinkedHashMap<>(whole.sections());
            parts.put(section.getKey(), damaged);
            read(new Parts(parts), whole, new TreeSet<>());
          });
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-O2 -g -gdwarf-5 -shared",
        "-O0 -g -gdwarf-5 -shared -fno-asynchronous-unwind-tables",
        "-O2 -g -gdwarf-4 -shared -fdebug-types-section",
        "-O2 -g -gdwarf-2 -gstrict-dwarf -c",
        "-O1 -g -gdwarf-5 -gdwarf64 -shared"
      })
  void eachReadEndsInAnAnswerOrAnErrorThatNamesItsPlace(String options) throws IOException {
    var whole = compile(options);
    var answers = new TreeSet<String>();
    read(new Parts(whole.sections()), whole, answers);
    // What is not damaged is read to its end, so that damage can be met anywhere.
    assertThat(answers)
        .contains("struct node", "work", "leaf", "sum", "names", "places")
        .doesNotContain("bad");
    damageEach(whole, INPUTS);
  }

  /** A read that may find what it reads to be damaged. */
  static void attempt(TreeSet<String> answers, Runnable read) {
    try {
      read.run();
    } catch (BadDataException e) {
      answers.add("bad");
      assertThat(e.source()).as(e.getMessage()).matches("all(:\\..*|\\(\\..*\\))?");
      assertThat(e.getMessage()).contains("0x").doesNotContain("\n");
    }
  }

  private static void read(Parts parts, Whole whole, TreeSet<String> answers) {
    attempt(
        answers,
        () -> {
          var dwarf = Dwarf.open(parts);
          dwarf.problems().forEach(problem -> answers.add("bad"));
          var names = DwarfNames.build(dwarf, 1);
          names.problems().forEach(problem -> answers.add("bad"));
          var types = new DwarfTypeSource("dwarf", () -> names);
          types(types, answers);
          var source =
              new DwarfSource(
                  "dwarf",
                  dwarf,
                  types,
                  frames(parts, whole, answers),
                  X86_64.INSTANCE,
                  Placement.asLinked(),
                  () -> LineFiles.build(dwarf, 1));
          for (long pc : whole.places()) {
            code(source, pc, answers);
          }
          if (!source.places("all.c", 8).isEmpty() || source.places("no.c", 1).isEmpty()) {
            answers.add("places");
          }
          source.problems().forEach(problem -> answers.add("bad"));
        });
  }

  private static void types(DwarfTypeSource types, TreeSet<String> answers) {
    attempt(answers, () -> types.typeNames().forEach(n -> answers.add("names")));
    attempt(answers, () -> types.enumerators().values().forEach(e -> answers.add(e.text())));
    attempt(answers, () -> types.stream().forEach(type -> follow(type, 0, answers)));
    for (var name : List.of("node", "bits", "colour", "int", "no such")) {
      for (var kind : TypeName.Kind.values()) {
        attempt(
            answers,
            () -> types.find(new TypeName(kind, name)).ifPresent(t -> follow(t, 0, answers)));
      }
    }
    for (var name : List.of("first", "bits", "work", "total", "work::counted", "no such")) {
      attempt(answers, () -> types.ofSymbol(name).ifPresent(t -> follow(t, 0, answers)));
      attempt(answers, () -> types.fixed(name).forEach(d -> answers.add(d.name())));
    }
  }

  static void follow(CType type, int depth, TreeSet<String> answers) {
    attempt(
        answers,
        () -> {
          answers.add(type.text());
          type.bytes();
          type.resolved();
          if (depth < MAX_DEPTH && type instanceof CompositeType composite) {
            for (var member : composite.members()) {
              follow(member.type(), depth + 4, answers);
            }
          }
          if (depth < MAX_DEPTH && type instanceof FunctionType function) {
            function.declare("f");
          }
        });
  }

  private static Optional<CallFrames> frames(Parts parts, Whole whole, TreeSet<String> answers) {
    var eh =
        parts
            .find(".eh_frame")
            .map(
                section ->
                    CallFrames.ofEhFrame(
                        section,
                        ByteOrder.LITTLE_ENDIAN,
                        8,
                        whole.ehFrameAddress(),
                        OptionalLong.empty(),
                        OptionalLong.empty()));
    var debug =
        parts
            .find(".debug_frame")
            .map(section -> CallFrames.ofDebugFrame(section, ByteOrder.LITTLE_ENDIAN, 8));
    for (var one : List.of(eh, debug)) {
      attempt(
          answers,
          () ->
              one.ifPresent(
                  frames -> frames.forEach(fde -> attempt(answers, () -> frames.rows(fde)))));
      for (long pc : whole.places()) {
        attempt(answers, () -> one.ifPresent(frames -> frames.rowAt(pc)));
      }
    }
    return debug.or(() -> eh);
  }

  static void code(DwarfSource source, long pc, TreeSet<String> answers) {
    attempt(
        answers,
        () -> {
          source.covers(pc);
          source.line(pc);
          source.lineRange(pc);
          source.beginsStatement(pc);
          source.body(pc);
          for (var activation : source.activations(pc)) {
            answers.add(activation.function());
            attempt(answers, activation::entry);
            source
                .functions(activation.function(), 100)
                .forEach(code -> answers.add(code.function()));
            variables(activation, pc, answers);
          }
        });
  }

  private static void variables(Activation activation, long pc, TreeSet<String> answers) {
    var program =
        new DwarfSourceTest.CoreProgram(
            new HeapMemory("nothing", Layout.LITTLE_64), new TypeSystem(8));
    var registers = Registers.builder(X86_64.INSTANCE.registers());
    X86_64.INSTANCE.registers().registers().forEach(register -> registers.set(register, 0x1000));
    var frame = new Frame(pc, true, registers.build(), 0x1000, Frame.How.REGISTERS, "");
    var view = new FrameView(program, List.of(frame), 0);
    var all = new ArrayList<Variable>(activation.parameters());
    all.addAll(activation.locals());
    attempt(answers, () -> activation.ofFile("first").ifPresent(all::add));
    for (var variable : all) {
      attempt(
          answers,
          () -> {
            answers.add(variable.name());
            variable.place(view);
            variable.in(view);
            variable.declared();
            follow(variable.type(), 0, answers);
          });
    }
  }
}
