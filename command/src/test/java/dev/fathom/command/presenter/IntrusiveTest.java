// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Containers of the Boost that is installed, whose elements hold their links. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class IntrusiveTest {
  private static final Pattern NUMBER = Pattern.compile("\\bn = (\\d+)");

  @TempDir static Path directory;
  private static CompiledCxx program;

  @BeforeAll
  static void compile() {
    program = CompiledCxx.compile(directory, "intrusive", List.of("-std=c++17"), List.of());
  }

  @AfterAll
  static void close() {
    program.close();
  }

  /** The members called {@code n} of the elements, in the order in which they are shown. */
  private static List<Integer> numbers(String shown) {
    return NUMBER.matcher(shown).results().map(m -> Integer.valueOf(m.group(1))).toList();
  }

  private static void assertShown(String name, String summary, Integer... elements) {
    var shown = program.output(List.of(name)).getFirst();
    assertThat(shown).as(name).startsWith(summary + " = {");
    assertThat(numbers(shown)).as(name).containsExactly(elements);
  }

  @Test
  void listsAreWalkedByMembersAndBases() {
    assertShown("items", "boost::intrusive::list of length 2", 1, 2);
    assertShown("bases", "boost::intrusive::list", 10, 20);
    // Of two bases of one kind the one with the container's tag.
    assertShown("tagged", "boost::intrusive::list of length 1", 20);
    assertShown("singles", "boost::intrusive::slist of length 2", 12, 11);
    assertShown("linear", "boost::intrusive::slist", 13);
    assertThat(program.output(List.of("no_items")))
        .containsExactly("boost::intrusive::list of length 0");
  }

  @Test
  void treesAreInOrder() {
    assertShown("nodes", "boost::intrusive::set of length 3", 1, 2, 3);
    // The colour is in a pointer's lowest bit.
    assertShown("smalls", "boost::intrusive::set", 4, 5, 6);
  }

  @Test
  void linksAreShownWithoutTheirLayers() {
    assertThat(program.output(List.of("items")).getFirst())
        .containsPattern("\\{n = 1, hook = \\{next_ = 0x\\w+ <main::i2\\+8>, prev_ = 0x\\w+");
    assertThat(program.output(List.of("singles")).getFirst())
        .contains("<boost::intrusive::slist_base_hook<>> = {next_ = 0x");
    assertThat(program.run("p/r items")).contains("root_plus_size_").doesNotContain("of length");
  }

  @Test
  void cyclesAreTold() {
    assertThat(program.run("p bad_items"))
        .contains("n = 4")
        .contains("has more than the 2 elements that it counts>}");
    assertThat(program.run("p bad_nodes")).contains("has more than the 2 elements");
  }
}
