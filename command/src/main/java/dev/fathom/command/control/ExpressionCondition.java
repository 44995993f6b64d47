// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.command.StopScope;
import dev.fathom.kernel.Task;
import dev.fathom.lang.Expr;
import dev.fathom.lang.Expressions;
import dev.fathom.model.Value;
import dev.fathom.model.source.SourceInfo;
import dev.fathom.session.Session;
import dev.fathom.session.control.Condition;
import dev.fathom.session.control.Hit;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A C expression over the parameters and locals of the function that was stopped in, registers
 * ({@code $rdi}), memory and the thread that came to the breakpoint: {@code pid}, {@code tid},
 * {@code ppid}, {@code cpu}, {@code comm} and {@code curthread}, unless a variable of that name is
 * there. Parsed once.
 */
final class ExpressionCondition implements Condition {
  /** A command's name without quotes, which words of a command line lose. */
  private static final Pattern BARE_NAME = Pattern.compile("\\bcomm\\s*([=!]=)\\s*([^\\s\"()&|]+)");

  /** Names for the thread. */
  private static final Set<String> THREAD =
      Set.of("pid", "tid", "ppid", "cpu", "comm", "curthread");

  private final Session session;
  private final String text;
  private final Expr expression;

  private ExpressionCondition(Session session, String text, Expr expression) {
    this.session = session;
    this.text = text;
    this.expression = expression;
  }

  /**
   * @throws dev.fathom.base.EvalException for wrong syntax
   */
  static Condition of(String text, Session session) {
    var quoted = BARE_NAME.matcher(text).replaceAll("comm $1 \"$2\"");
    return new ExpressionCondition(
        session, text, Expressions.parse(quoted, session.kernel().program().types()));
  }

  @Override
  public String text() {
    return text;
  }

  @Override
  public boolean holds(Hit hit) {
    return Expressions.isTrue(expression, new HitScope(hit, session.sources()));
  }

  /** The function, the thread at the breakpoint, then the program. */
  private static final class HitScope extends StopScope {
    private final Hit hit;

    HitScope(Hit hit, SourceInfo source) {
      super(hit.kernel(), source, hit.registers());
      this.hit = hit;
    }

    @Override
    public Optional<Value> variable(String name) {
      return THREAD.contains(name) ? present(name).or(() -> ofThread(name)) : super.variable(name);
    }

    private Optional<Value> ofThread(String name) {
      return switch (name) {
        case "pid" -> id(hit.task().map(Task::process));
        case "tid" -> id(hit.task().map(Task::id));
        case "ppid" -> id(hit.task().map(Task::parent));
        case "cpu" ->
            Optional.of(
                number(
                    hit.task().isPresent() && hit.task().get().cpu().isPresent()
                        ? hit.task().get().cpu().getAsInt()
                        : hit.cpu().id()));
        case "comm" -> hit.task().map(task -> task.object().member("comm"));
        default -> hit.task().map(task -> task.object().addressOf());
      };
    }

    private Optional<Value> id(Optional<OptionalLong> id) {
      return id.filter(OptionalLong::isPresent).map(known -> number(known.getAsLong()));
    }
  }
}
