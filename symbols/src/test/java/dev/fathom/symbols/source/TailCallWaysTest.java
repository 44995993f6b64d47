// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.source;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.ByteSource;
import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.Dwarf;
import dev.fathom.format.dwarf.DwarfNames;
import dev.fathom.format.dwarf.DwarfSections;
import dev.fathom.format.dwarf.Form;
import dev.fathom.format.dwarf.LineFiles;
import dev.fathom.format.dwarf.Tag;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.symbols.dwarf.DwarfTypeSource;
import dev.fathom.symbols.elf.Placement;
import dev.fathom.testkit.DwarfWriter;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The ways from a call to a function through tail calls, in debug information made here. */
@Timeout(60)
class TailCallWaysTest {
  private static final long SIZE = 0x10000;
  private static final int STEP = 0x10;

  private record Parts(Map<String, ByteSource> all) implements DwarfSections {
    @Override
    public String name() {
      return "made";
    }

    @Override
    public ByteOrder order() {
      return ByteOrder.LITTLE_ENDIAN;
    }

    @Override
    public Optional<ByteSource> find(String section) {
      return Optional.ofNullable(all.get(section));
    }
  }

  /**
   * Functions that call each other: {@code a>b}, or {@code a>?} for a call of what is not known.
   * All but the first are tail calls.
   */
  private static final class Made {
    private final DwarfWriter.Entry root;
    private final Map<String, DwarfWriter.Entry> functions = new LinkedHashMap<>();
    private final Map<String, Integer> sites = new HashMap<>();
    private final Map<Long, String> calls = new HashMap<>();
    private final DwarfSource source;

    Made(List<String> all) {
      var writer = new DwarfWriter();
      root = writer.unit(5, Tag.COMPILE_UNIT).root();
      root.with(At.LANGUAGE, Form.DATA1, 0x0c).with(At.LOW_PC, Form.ADDR, 0);
      root.with(At.HIGH_PC, Form.DATA8, 1L << 40);
      for (var call : all) {
        for (var name : call.split(">")) {
          if (!name.equals("?")) {
            functions.computeIfAbsent(name, this::function);
          }
        }
      }
      for (var call : all) {
        var names = call.split(">");
        var site = functions.get(names[0]).child(Tag.CALL_SITE);
        site.with(At.CALL_RETURN_PC, Form.ADDR, back(call, names[0]));
        if (!names[1].equals("?")) {
          site.with(At.CALL_ORIGIN, Form.REF4, functions.get(names[1]));
        }
        if (!call.equals(all.getFirst())) {
          site.with(At.CALL_TAIL_CALL, Form.FLAG_PRESENT, 1);
        }
      }
      var sections = new LinkedHashMap<String, ByteSource>();
      writer
          .sections()
          .forEach((name, bytes) -> sections.put(name, ByteSource.of("made:" + name, bytes)));
      var dwarf = Dwarf.open(new Parts(sections));
      source =
          new DwarfSource(
              "dwarf",
              dwarf,
              new DwarfTypeSource("dwarf", () -> DwarfNames.build(dwarf, 1)),
              Optional.empty(),
              X86_64.INSTANCE,
              Placement.asLinked(),
              () -> LineFiles.build(dwarf, 1));
    }

    private DwarfWriter.Entry function(String name) {
      return root.child(Tag.SUBPROGRAM)
          .with(At.NAME, Form.STRP, name)
          .with(At.EXTERNAL, Form.FLAG_PRESENT, 1)
          .with(At.LOW_PC, Form.ADDR, start(functions.size()))
          .with(At.HIGH_PC, Form.DATA8, SIZE);
    }

    private static long start(int number) {
      return SIZE * (number + 1);
    }

    private long start(String function) {
      return start(List.copyOf(functions.keySet()).indexOf(function));
    }

    private long back(String call, String caller) {
      long back = start(caller) + (long) STEP * sites.merge(caller, 1, Integer::sum);
      calls.put(back, call);
      return back;
    }

    /** The calls from the first one to {@code last}, the innermost first. */
    List<String> ways() {
      long back = start(List.copyOf(functions.keySet()).getFirst()) + STEP;
      return source.tailCalls(start("last"), back).stream().map(calls::get).toList();
    }

    boolean mayRepeat(String function) {
      return source.mayRepeat(source.function(start(function)).orElseThrow());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "main>a a>last, a>last",
    "main>a a>b b>c c>last, c>last b>c a>b",
    "main>last last>last, ''",
    // Two ways: what both begin or end with.
    "main>a a>b a>c b>last c>last, ''",
    "main>a a>b b>c b>d c>last d>last, a>b",
    "main>a a>b a>c b>d c>d d>last, d>last",
    // Circles end, and what lies in them is not sure.
    "main>a a>a a>last, a>last",
    "main>a a>b b>a b>last, b>last a>b",
    "main>a a>b b>c c>b c>last, c>last b>c a>b",
    "main>a a>b b>a, ''",
    // Any function may be behind a call of what is not known.
    "main>a a>? a>last, ''",
    "main>a a>b b>last b>?, ''",
    "main>? a>last, ''"
  })
  void whatIsSureIsTold(String calls, String told) {
    var made = new Made(List.of((calls + " last>other").split(" ")));
    assertThat(String.join(" ", made.ways())).isEqualTo(told);
  }

  @Test
  void aFunctionThatMayBeEnteredAgainWithoutACallIsKnown() {
    var made =
        new Made(
            List.of("main>a", "a>b", "b>c", "c>b", "c>last", "alone>last", "lost>?", "d>lost"));
    assertThat(made.mayRepeat("a")).isFalse();
    assertThat(made.mayRepeat("b")).isTrue();
    assertThat(made.mayRepeat("c")).isTrue();
    assertThat(made.mayRepeat("alone")).isFalse();
    assertThat(made.mayRepeat("lost")).isTrue();
    assertThat(made.mayRepeat("d")).isTrue();
  }

  @Test
  void everyFunctionCallingEveryOtherEnds() {
    var calls = new ArrayList<>(List.of("main>f0"));
    for (int i = 0; i < 40; i++) {
      for (int j = 0; j < 40; j++) {
        calls.add("f" + i + ">f" + j);
      }
    }
    calls.add("f39>last");
    var made = new Made(calls);
    assertThat(made.ways()).isEmpty();
    assertThat(made.mayRepeat("f0")).isTrue();
  }
}
