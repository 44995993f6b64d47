// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.session.Session;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Tells the user what is wrong with a target and its kernel, each thing once, when it is found out.
 */
final class Warnings {
  private final Session session;
  private final Consumer<String> teller;
  private final Set<String> told = new HashSet<>();

  Warnings(Session session, Consumer<String> teller) {
    this.session = session;
    this.teller = teller;
  }

  /** Tells what is new since the last call. */
  void show() {
    var all = new ArrayList<>(session.target().warnings());
    all.addAll(session.kernel().warnings());
    for (var warning : all) {
      if (told.add(warning)) {
        teller.accept(warning);
      }
    }
  }
}
