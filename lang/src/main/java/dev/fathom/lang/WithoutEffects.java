// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.model.Program;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A scope in which expressions have types, but neither call nor write: for operands that C does not
 * evaluate (C11 section 6.5.3.4). What operators of classes lead to has the type that their
 * declarations tell: no object is looked into, since what calls return is made up.
 */
final class WithoutEffects implements Scope {
  /** No result that a function can return is larger. */
  private static final int LIMIT = 1 << 20;

  private final Scope scope;

  WithoutEffects(Scope scope) {
    this.scope = scope;
  }

  @Override
  public Program program() {
    return scope.program();
  }

  @Override
  public Optional<Value> variable(String name) {
    return scope.variable(name);
  }

  @Override
  public Optional<Value> ofBlock(String name) {
    return scope.ofBlock(name);
  }

  @Override
  public Optional<Value> variable(String of, String name) {
    return scope.variable(of, name);
  }

  @Override
  public Optional<Value> anywhere(String name) {
    return scope.anywhere(name);
  }

  @Override
  public List<String> around() {
    return scope.around();
  }

  @Override
  public List<Function> functions(String name) {
    return scope.functions(name);
  }

  @Override
  public Optional<Value> dollar(String name) {
    return scope.dollar(name);
  }

  @Override
  public Optional<Value> otherwise(String name) {
    return scope.otherwise(name);
  }

  /** Any text will do: what is compared with one is a number. */
  @Override
  public Optional<String> text(Value.Ref object) {
    return object.isPlace() ? scope.text(object) : Optional.of("");
  }

  @Override
  public Value atEntry(String parameter) {
    return scope.atEntry(parameter);
  }

  @Override
  public long perCpu(long offset, int cpu) {
    return scope.perCpu(offset, cpu);
  }

  @Override
  public void assign(String dollar, Value value) {}

  @Override
  public void write(Value.Ref at, byte[] bytes) {}

  /** Any value will do, but for a null pointer, which nothing is behind. */
  @Override
  public Returned call(long function, CType result, List<Argument> arguments) {
    var bytes = new byte[(int) Math.min(result.bytes(), LIMIT)];
    Arrays.fill(bytes, (byte) 1);
    return new Returned(bytes, OptionalLong.empty());
  }
}
