// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.gdb;

import dev.fathom.command.Invocation;
import java.util.List;

/** The words of a command whose arguments are C. */
final class Words {
  private Words() {}

  static List<String> of(Invocation call) {
    return call.rawArguments().stream().map(argument -> argument.text()).toList();
  }

  /** The words from {@code from} on, with a blank between two. */
  static String joined(List<String> words, int from) {
    return String.join(" ", words.subList(Math.min(from, words.size()), words.size()));
  }
}
