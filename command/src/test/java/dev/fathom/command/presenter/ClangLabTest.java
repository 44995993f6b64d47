// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs of C++ by clang and lld, beside gdb. */
@Tag("lab")
class ClangLabTest {
  private static final String CLANG = "clang++";

  @TempDir Path directory;

  @Test
  void valuesAndDefinitionsAreThoseOfGdb() {
    var commands = new ArrayList<String>();
    CxxTest.SAME.forEach(e -> commands.add("output " + e));
    CxxTest.DEFINITIONS.forEach(e -> commands.add("ptype " + e));
    var options = List.of("-std=c++17", "-fstandalone-debug");
    try (var program = CompiledCxx.compile(CLANG, directory, "containers", options, commands)) {
      var ours = program.output(CxxTest.SAME);
      for (int i = 0; i < CxxTest.SAME.size(); i++) {
        assertThat(ours.get(i))
            .as(CxxTest.SAME.get(i))
            .isEqualTo(CxxTest.normal(withoutWarnings(program.answers().get(i))));
      }
      for (int i = 0; i < CxxTest.DEFINITIONS.size(); i++) {
        var wanted = CxxTest.DEFINITIONS.get(i);
        assertThat(program.run("ptype " + wanted))
            .as(wanted)
            .isEqualTo(program.answers().get(CxxTest.SAME.size() + i).replace("\\n", "\n"));
      }
    }
  }

  /** clang keeps no names for some classes of the library's, which gdb says. */
  private static String withoutWarnings(String answer) {
    return answer.replaceAll("warning: .*?\\\\n", "");
  }

  /** clang leaves what strings are made of to the library, where gdb then does not find it. */
  @Test
  void stringsNeedNoDebugInformationOfTheLibrary() {
    var options = List.of("-std=c++17");
    try (var program = CompiledCxx.compile(CLANG, directory, "containers", options, List.of())) {
      assertThat(program.output(List.of("str", "ws", "longer", "vs", "m")))
          .containsExactly(
              "\"hello\"",
              "L\"wide\"",
              "\"abcdefghijklmnopqrstuvwxyz0123456789\"",
              "std::vector of length 2, capacity 2 = {\"a\", \"bc\"}",
              "std::map with 2 elements = {[1] = \"one\", [2] = \"two\"}");
    }
  }

  /** The same whatever is compiled and linked how, with tables of names and without. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "-gdwarf-4 -O2",
        "-gdwarf-5 -gpubnames",
        "-gdwarf-5 -ggnu-pubnames -fuse-ld=lld -Wl,--gdb-index",
        "-gdwarf-4 -gsplit-dwarf -ggnu-pubnames -fuse-ld=lld -Wl,--gdb-index",
        "-gdwarf-5 -gsplit-dwarf -fdebug-types-section",
        "-gdwarf-5 -fdebug-types-section -gz -gpubnames",
        "-gdwarf-5 -flto -fuse-ld=lld"
      })
  void formsOfDebugInformationChangeNoAnswer(String options) {
    var expressions = List.of("str", "nothing", "li", "m", "work::calls");
    var all = new ArrayList<>(List.of("-D_GLIBCXX_USE_CXX11_ABI=0", "-fstandalone-debug"));
    all.addAll(List.of(options.split(" ")));
    var commands = expressions.stream().map(e -> "output " + e).toList();
    try (var program = CompiledCxx.compile(CLANG, directory, "strings", all, commands)) {
      assertThat(program.answers())
          .containsExactly(
              "\"older\"",
              "\"\"",
              "std::list = {[0] = \"x\", [1] = \"yz\"}",
              "std::map with 1 element = {[\"k\"] = 2}",
              "4");
      assertThat(program.output(expressions)).isEqualTo(program.answers());
      assertThat(program.run("bt")).contains("in work (name=\"older\") at ");
    }
  }

  private static List<String> withoutAddresses(List<String> values) {
    return values.stream().map(value -> value.replaceAll("0x[0-9a-f]+", "0x")).toList();
  }

  /** In the words that libstdc++'s own presenters for gdb have, which CxxTest compares. */
  @ParameterizedTest
  @ValueSource(strings = {"-O0", "-O1", "-gdwarf-4"})
  void libcxxIsShownAsTheOtherLibraryIs(String option) {
    var containers = new ArrayList<>(CxxTest.SAME.subList(0, CxxTest.SAME.indexOf("pt")));
    containers.remove("ar"); // is shown as it is stored
    var options = List.of("-std=c++17", "-DWHOLE");
    var more = List.of("-std=c++17", "-DWHOLE", "-stdlib=libc++", option);
    try (var usual = CompiledCxx.compile(directory, "containers", options, List.of())) {
      var wanted =
          withoutAddresses(usual.output(containers)).stream()
              .map(value -> value.replace("std::__cxx11::list", "std::list"))
              .toList();
      try (var libcxx = CompiledCxx.compile(CLANG, directory, "containers", more, List.of())) {
        var ours = withoutAddresses(libcxx.output(containers));
        for (int i = 0; i < containers.size(); i++) {
          assertThat(ours.get(i)).as(containers.get(i)).isEqualTo(wanted.get(i));
        }
        assertThat(libcxx.run("p dq"))
            .startsWith("$1 = std::deque with 290 elements = {10, 11, 12, ");
        assertThat(libcxx.run("p/r v")).contains("__end_cap_");
        assertThat(libcxx.run("bt full")).contains("copy=std::map with 2 elements = {...}");
      }
    }
  }
}
