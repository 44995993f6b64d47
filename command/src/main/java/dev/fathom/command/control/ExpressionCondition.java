// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.base.LookupException;
import dev.fathom.command.Invocation;
import dev.fathom.command.ProgramScope;
import dev.fathom.command.StopScope;
import dev.fathom.lang.Expr;
import dev.fathom.lang.Expressions;
import dev.fathom.model.Value;
import dev.fathom.model.source.Activation;
import dev.fathom.model.source.SourceInfo;
import dev.fathom.session.Session;
import dev.fathom.session.control.Breakpoint;
import dev.fathom.session.control.Breakpoint.Place;
import dev.fathom.session.control.Condition;
import dev.fathom.session.control.Hit;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A C expression over the parameters and locals of the function that was stopped in, registers
 * ({@code $rdi}), memory and the thread that came to the breakpoint: {@code pid}, {@code tid},
 * {@code ppid}, {@code cpu}, {@code comm} and {@code curthread}, unless a variable of that name is
 * there. Parsed once.
 */
final class ExpressionCondition implements Condition {
  /** No function is there. */
  private static final long NOWHERE = 0;

  private final Session session;
  private final String text;
  private final Expr expression;
  private final Optional<Place> place;

  private ExpressionCondition(
      Session session, String text, Expr expression, Optional<Place> place) {
    this.session = session;
    this.text = text;
    this.expression = expression;
    this.place = place;
  }

  /**
   * The condition of a breakpoint at a place.
   *
   * @throws EvalException for wrong syntax, and for what assigns or calls
   * @throws LookupException when it has a name that nothing has there
   */
  static Condition of(String text, Session session, Place place) {
    return of(text, session, Optional.of(place), session.control().addresses(place));
  }

  /**
   * @param places where it will be asked, as far as that is known
   */
  private static Condition of(
      String text, Session session, Optional<Place> named, List<Long> places) {
    var parsed = Expressions.parse(text, session.kernel().program().types());
    refuseChanges(text, parsed);
    Optional<LookupException> unknown = Optional.empty();
    for (long place : places) {
      try {
        Expressions.requireKnown(parsed, new PlaceScope(session, named, place));
        unknown = Optional.empty();
        break;
      } catch (LookupException e) {
        unknown = unknown.or(() -> Optional.of(e));
      }
    }
    if (unknown.isPresent()) {
      throw comparedWithComm(text, unknown.get());
    }
    return new ExpressionCondition(session, text, parsed, named);
  }

  /** As {@link #of(String, Session, Place)}, for a breakpoint or watchpoint that there is. */
  static Condition of(String text, Invocation call, Breakpoint breakpoint) {
    return breakpoint.watches()
        ? ofWatchpoint(text, call)
        : of(text, call.session(), breakpoint.place());
  }

  /**
   * The condition of a watchpoint. Where data will be accessed is not known: its names are those
   * that the program has everywhere, and those of the function that the selected thread is in.
   */
  static Condition ofWatchpoint(String text, Invocation call) {
    var pc = call.program().architecture().registers().pc().name();
    var here = call.environment().variables().find(pc);
    return of(text, call.session(), Optional.empty(), List.of(here.orElse(NOWHERE)));
  }

  private static void refuseChanges(String text, Expr parsed) {
    var change = Expressions.change(parsed);
    if (change.isEmpty()) {
      return;
    }
    var span = change.get().span();
    var shown = text.substring(span.start(), Math.min(span.end(), text.length()));
    throw new EvalException(
        span,
        "a condition changes nothing and calls nothing, and '"
            + shown
            + "' does"
            + (change.get() instanceof Expr.Assign ? ": == compares" : ""));
  }

  /** Whoever compares {@code comm} with a name that is unknown forgot the quotes. */
  private static FathomException comparedWithComm(String text, LookupException unknown) {
    var bare = Pattern.compile("\\bcomm\\s*[=!]=\\s*" + Pattern.quote(unknown.name()) + "(?!\\w)");
    return bare.matcher(text).find()
        ? new EvalException(
            unknown.getMessage()
                + "; the name of a command stands in quotes: \""
                + unknown.name()
                + '"')
        : unknown;
  }

  /** The names that there are at a place in code, before anything has come to it. */
  private static final class PlaceScope extends ProgramScope {
    private final Optional<Activation> activation;

    PlaceScope(Session session, Optional<Place> named, long place) {
      super(session.kernel(), Optional::empty);
      var at = session.sources().activations(place);
      activation = at.isEmpty() ? Optional.empty() : Optional.of(at.get(frame(named, at, place)));
    }

    @Override
    public Optional<Value> variable(String name) {
      if (THREAD.contains(name)) {
        return Optional.of(number(0));
      }
      return local(name).or(() -> inScope(name)).or(() -> super.variable(name));
    }

    /** Only its type is asked for: it has no value yet. */
    private Optional<Value> local(String name) {
      return activation.flatMap(
          function ->
              Stream.concat(function.locals().stream(), function.parameters().stream())
                  .filter(variable -> variable.name().equals(name))
                  .findFirst()
                  .or(() -> function.ofFile(name))
                  .map(variable -> new Value.Imm(program(), variable.type(), 0)));
    }

    @Override
    public List<String> around() {
      return around(activation);
    }
  }

  /** The function that the breakpoint names, else the innermost. */
  private static int frame(Optional<Place> place, List<Activation> at, long pc) {
    return place.isPresent() ? StopFrames.of(place.get(), at, pc).orElse(0) : 0;
  }

  @Override
  public String text() {
    return text;
  }

  @Override
  public boolean holds(Hit hit) {
    return Expressions.isTrue(expression, new HitScope(hit, session.sources(), place));
  }

  /** The function, the thread at the breakpoint, then the program. */
  private static final class HitScope extends StopScope {
    private final Hit hit;
    private final Optional<Place> place;

    HitScope(Hit hit, SourceInfo source, Optional<Place> place) {
      super(hit.kernel(), source, hit.registers());
      this.hit = hit;
      this.place = place;
    }

    @Override
    protected int frame(List<Activation> at) {
      return ExpressionCondition.frame(place, at, hit.pc());
    }

    @Override
    public Optional<Value> variable(String name) {
      return THREAD.contains(name)
          ? present(name).or(() -> ofThread(name, hit.task(), OptionalInt.of(hit.cpu().id())))
          : super.variable(name);
    }
  }
}
