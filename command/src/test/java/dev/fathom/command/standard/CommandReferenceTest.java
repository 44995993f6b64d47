// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.standard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.command.CommandGroup;
import dev.fathom.command.Grammar;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CommandReferenceTest {
  private static final Path PAGE = Path.of("../docs/commands.md");

  /** {@code -Dgolden.update=true} writes the page instead. */
  @Test
  void thePageIsWhatTheCommandsSay() throws IOException {
    if (Boolean.getBoolean("golden.update")) {
      CommandReference.main(new String[] {PAGE.toString()});
    }
    assertThat(Files.readString(PAGE))
        .as(
            "docs/commands.md is stale; make it again with -Dtest=CommandReferenceTest"
                + " -Dgolden.update=true")
        .isEqualTo(CommandReference.text(StandardCommands.groups()));
  }

  @ParameterizedTest
  @EnumSource(Grammar.class)
  void everyCommandDescribesItself(Grammar grammar) {
    var seen = new HashSet<String>();
    for (CommandGroup group : StandardCommands.groups()) {
      for (var name : group.names(grammar)) {
        var spec = group.command(grammar, name).orElseThrow().spec();
        assertThat(seen.add(name)).as("%s is there once", name).isTrue();
        assertThat(spec.name()).as("the name that %s states", name).isEqualTo(name);
        assertThat(spec.grammar()).isEqualTo(grammar);
        assertThat(spec.summary()).as("summary of %s", name).isNotBlank().doesNotEndWith(".");
        assertThat(spec.help()).as("help of %s has an example", name).contains("\n    > ");
        for (var alias : spec.aliases()) {
          assertThat(group.command(grammar, alias)).as("alias %s of %s", alias, name).isPresent();
        }
      }
    }
    assertThat(seen).hasSizeGreaterThan(10);
  }
}
