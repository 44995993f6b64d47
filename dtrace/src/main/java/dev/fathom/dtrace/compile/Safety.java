// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.Span;
import dev.fathom.dtrace.compile.TypedStatement.TypedClause;
import dev.fathom.dtrace.syntax.Tag;
import java.util.ArrayList;
import java.util.List;

/**
 * Checks of a typed clause that it keeps D's order of actions (what may follow {@code speculate},
 * {@code commit} and what records data), and that it changes nothing but D's own variables unless
 * destructive actions are allowed.
 */
final class Safety {
  private final Texts texts;
  private final boolean destructive;
  private final List<String> changes = new ArrayList<>();
  private boolean recorded;
  private boolean committed;
  private boolean speculating;

  private Safety(Texts texts, boolean destructive) {
    this.texts = texts;
    this.destructive = destructive;
  }

  /**
   * Checks {@code clause}.
   *
   * @return what the clause does, in a line
   */
  static String check(TypedClause clause, Texts texts, boolean destructive) {
    var s = new Safety(texts, destructive);
    clause.predicate().ifPresent(s::value);
    s.block(clause.body());
    return s.text();
  }

  private String text() {
    return (speculating ? "speculates" : recorded ? "records" : "records nothing")
        + (committed ? ", commits" : "")
        + (changes.isEmpty() ? ", changes nothing" : ", changes: " + String.join(" ", changes));
  }

  private void block(List<TypedStatement> statements) {
    statements.forEach(this::statement);
  }

  private void statement(TypedStatement statement) {
    switch (statement) {
      case TypedStatement.Evaluate e -> value(e.value());
      case TypedStatement.If i -> {
        value(i.test());
        block(i.yes());
        block(i.no());
      }
      case TypedStatement.Emit e -> {
        if (e.name().equals("system") || e.name().equals("freopen")) {
          destructive(e.name(), e.at());
        }
        records(e.at());
        e.values().forEach(this::value);
      }
      case TypedStatement.Aggregate a -> {
        if (committed) {
          throw texts.error(a.at(), Tag.D_AGG_COMM, "an aggregation cannot be fed after commit()");
        }
        if (speculating) {
          throw texts.error(
              a.at(), Tag.D_AGG_SPEC, "an aggregation cannot be fed after speculate()");
        }
        a.keys().forEach(this::value);
        a.value().ifPresent(this::value);
        a.increment().ifPresent(this::value);
      }
      case TypedStatement.Speculate s -> {
        speculate(s.at());
        value(s.id());
      }
      case TypedStatement.EndSpeculation e -> {
        if (e.commits()) {
          if (recorded) {
            throw texts.error(
                e.at(), Tag.D_COMM_DREC, "commit() cannot follow an action that records");
          }
          committed = true;
        }
        value(e.id());
      }
      case TypedStatement.Exit e -> {
        if (speculating) {
          throw texts.error(e.at(), Tag.D_EXIT_SPEC, "exit() cannot follow speculate()");
        }
        records(e.at());
        value(e.status());
      }
      case TypedStatement.Destroy d -> {
        destructive(d.what().text(), d.at());
        d.arguments().forEach(this::value);
      }
    }
  }

  /** An action that records data may follow no commit. */
  private void records(Span at) {
    if (committed) {
      throw texts.error(at, Tag.D_DREC_COMM, "data cannot be recorded after commit()");
    }
    recorded = true;
  }

  private void speculate(Span at) {
    if (speculating) {
      throw texts.error(at, Tag.D_SPEC_SPEC, "speculate() cannot follow speculate()");
    }
    if (committed) {
      throw texts.error(at, Tag.D_SPEC_COMM, "speculate() cannot follow commit()");
    }
    if (recorded) {
      throw texts.error(at, Tag.D_SPEC_DREC, "speculate() cannot follow an action that records");
    }
    speculating = true;
  }

  private void destructive(String name, Span at) {
    if (speculating) {
      throw texts.error(at, Tag.D_ACT_SPEC, name + "() cannot follow speculate()");
    }
    requireDestructive(name, at);
  }

  private void requireDestructive(String name, Span at) {
    if (!destructive) {
      throw texts.error(
          at,
          Tag.D_UNKNOWN,
          "destructive actions not allowed: " + name + "() needs -w (option destructive)");
    }
    changes.add(name + "()");
  }

  private void value(Typed v) {
    if (v instanceof Typed.Call c && c.subroutine().destructive()) {
      requireDestructive(c.subroutine().text(), c.at());
    }
    Typed.parts(v).forEach(this::value);
  }
}
