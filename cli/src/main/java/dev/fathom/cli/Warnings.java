// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.base.Datum;
import dev.fathom.base.Loss;
import dev.fathom.base.Outcome;
import dev.fathom.base.Sink;
import dev.fathom.session.Session;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Tells the user what is wrong with a target, its kernel and debug files, each thing once, when it
 * is found out.
 */
final class Warnings {
  /** How many things about debug files are told before they are asked about. */
  private static final int MAX_PROBLEMS = 8;

  private final Session session;
  private final Consumer<String> teller;
  private final Set<String> told = new HashSet<>();
  private int problems;

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
    for (var problem : session.problems()) {
      if (problems < MAX_PROBLEMS && told.add(problem)) {
        problems++;
        teller.accept(problem);
        if (problems == MAX_PROBLEMS) {
          teller.accept("what else is wrong with debug files, ::debugfiles tells");
        }
      }
    }
  }

  /**
   * What the user was told is not told again in {@code sink}, which writes to the same place: of
   * these warnings {@code ::status} reminds whoever asks later.
   */
  Sink withoutTold(Sink sink) {
    return new Sink() {
      @Override
      public void begin(String command) {
        sink.begin(command);
      }

      @Override
      public void accept(Datum datum) {
        if (!(datum instanceof Datum.Note(var severity, var text)
            && severity == Datum.Severity.WARNING
            && told.contains(text))) {
          sink.accept(datum);
        }
      }

      @Override
      public void flush() {
        sink.flush();
      }

      @Override
      public void lost(Loss loss) {
        sink.lost(loss);
      }

      @Override
      public void end(Outcome outcome) {
        sink.end(outcome);
      }
    };
  }
}
