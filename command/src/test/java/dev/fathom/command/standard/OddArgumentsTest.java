// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.standard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.fathom.command.Fixture;
import dev.fathom.command.Grammar;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every command, given what it can do nothing with: an id that no task has, a pointer to something
 * else, a {@code void *}, memory that is not there. It ends in time, without an internal error, and
 * states an error exactly when it failed ({@link Fixture#text}).
 */
class OddArgumentsTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  /** They end the session, or read a file of that name. */
  private static final Set<String> OTHER = Set.of("quit", "$q", "$<", "$<<");

  private static final List<String> ADDRESSES =
      List.of(
          "0t99999", // no such id
          "counter", // a long
          "start", // code
          "ffff888000008000", // not in the dump
          "5", // not mapped
          "0", // NULL
          "-1"); // the last byte

  private static final List<String> VALUES =
      List.of(
          "first_task::print struct task handler", // void *
          "first_task::print struct task hidden", // to a structure that is only declared
          "first_task::print struct task name", // char *
          "first_task::print struct task points", // an array
          "ffff888000008000::print -a struct task pid", // an address that cannot be read
          "::walk task");

  static List<String> lines() {
    var lines = new ArrayList<String>();
    for (var group : StandardCommands.groups()) {
      for (var name : group.names(Grammar.MDB)) {
        if (!OTHER.contains(name)) {
          var typed = group.command(Grammar.MDB, name).orElseThrow().spec().typed();
          ADDRESSES.forEach(address -> lines.add(address + typed));
          VALUES.forEach(value -> lines.add(value + " | " + typed));
          lines.add(typed);
        }
      }
      for (var name : group.names(Grammar.CRASH)) {
        if (!OTHER.contains(name)) {
          ADDRESSES.forEach(address -> lines.add(name + " " + address));
          lines.add(name + " nosuch");
          lines.add(name + " task");
          lines.add(name + " task ffff888000008000");
          lines.add(name + " task.parent 5");
          lines.add(name);
        }
      }
    }
    return lines;
  }

  @ParameterizedTest
  @MethodSource("lines")
  void endsWithAResultOrAnError(String line) {
    var text = assertTimeoutPreemptively(LIMIT, () -> new Fixture().harmless().text(line), line);

    assertThat(text).as(line).doesNotContain("Exception", "null");
  }
}
