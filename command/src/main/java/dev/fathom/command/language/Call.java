// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.language;

import dev.fathom.base.UsageException;
import dev.fathom.command.Argument;
import dev.fathom.command.Arguments;
import dev.fathom.command.Environment;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.Value;
import dev.fathom.session.Session;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** One call of a stage of a pipeline. */
final class Call implements Invocation {
  /** What is the same in every call of a stage. */
  record Frame(
      Execution execution,
      List<Argument> rawArguments,
      Arguments args,
      boolean piped,
      boolean toPipe,
      boolean loop) {}

  private final Frame frame;
  private final boolean first;
  private final long dot;
  private final Optional<Value> value;
  private final Stream<Value> input;
  private OptionalLong advance = OptionalLong.empty();
  private OptionalLong moved = OptionalLong.empty();

  Call(Frame frame, boolean first, long dot, Optional<Value> value, Stream<Value> input) {
    this.frame = frame;
    this.first = first;
    this.dot = dot;
    this.value = value;
    this.input = input;
  }

  OptionalLong advanced() {
    return advance;
  }

  OptionalLong moved() {
    return moved;
  }

  Execution execution() {
    return frame.execution();
  }

  @Override
  public Session session() {
    return frame.execution().session();
  }

  @Override
  public Environment environment() {
    return frame.execution().environment();
  }

  @Override
  public Arguments args() {
    return frame.args();
  }

  @Override
  public List<Argument> rawArguments() {
    return frame.rawArguments();
  }

  @Override
  public long dot() {
    return dot;
  }

  @Override
  public boolean hasAddress() {
    return value.isPresent();
  }

  @Override
  public long address() {
    return Coercion.dot(object());
  }

  @Override
  public Optional<Value> value() {
    return value;
  }

  @Override
  public Value object() {
    return value.orElseThrow(() -> new UsageException("an address is needed"));
  }

  @Override
  public Stream<Value> input() {
    return input;
  }

  @Override
  public boolean piped() {
    return frame.piped();
  }

  @Override
  public boolean toPipe() {
    return frame.toPipe();
  }

  @Override
  public boolean loop() {
    return frame.loop();
  }

  @Override
  public boolean first() {
    return first;
  }

  @Override
  public void note(String text) {
    frame.execution().fail(text);
  }

  @Override
  public void remark(String text) {
    frame.execution().remark(text);
  }

  @Override
  public void warn(String text) {
    frame.execution().warn(text);
  }

  @Override
  public void fail(String text) {
    frame.execution().fail(text);
  }

  @Override
  public void lost(String what, long count) {
    frame.execution().lost(what, count);
  }

  @Override
  public void checkInterrupt() {
    frame.execution().checkInterrupt();
  }

  @Override
  public void advance(long bytes) {
    advance = OptionalLong.of(bytes);
  }

  @Override
  public void moveDot(long address) {
    moved = OptionalLong.of(address);
  }

  @Override
  public long evaluate(String expression) {
    return frame.execution().evaluate(expression, dot);
  }

  @Override
  public long evaluate(String expression, long at) {
    return frame.execution().evaluate(expression, at);
  }

  @Override
  public long number(Argument argument) {
    return switch (argument) {
      case Argument.Number number -> number.value();
      case Argument.Word word -> evaluate(word.text());
    };
  }

  @Override
  public Stream<Item> execute(String text) {
    return frame.execution().nested(text, frame.toPipe());
  }
}
