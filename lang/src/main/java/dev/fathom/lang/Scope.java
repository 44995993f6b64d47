// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.UnsupportedException;
import dev.fathom.model.Program;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Where the names in an expression come from, and where assignments and calls go. */
public interface Scope {
  Program program();

  /** A variable or function of the program, or a local of the selected frame. */
  Optional<Value> variable(String name);

  /**
   * A local variable or parameter of the selected frame: what hides members of the object in a
   * method.
   *
   * @throws dev.fathom.base.EvalException when the frame has it, but it is not there
   */
  default Optional<Value> ofBlock(String name) {
    return Optional.empty();
  }

  /**
   * {@code scope::name}: a static variable of a source file or function, or a name of a C++
   * namespace or class.
   *
   * @param scope empty for {@code ::name}, which no local hides
   */
  default Optional<Value> variable(String scope, String name) {
    return variable(scope.isEmpty() ? name : scope + "::" + name);
  }

  /**
   * What a name means that nothing in scope has, no member either: an entity of that name of some
   * namespace or class of C++, whichever is first.
   */
  default Optional<Value> anywhere(String name) {
    return Optional.empty();
  }

  /** C++'s namespaces and classes around the code that names are looked for in, innermost first. */
  default List<String> around() {
    return List.of();
  }

  /**
   * A function of the program.
   *
   * @param name in C++ with its parameters, as symbols have it
   */
  record Function(String name, Value.Ref code) {}

  /** The functions that a name means of which C++ has several under one; none where it has not. */
  default List<Function> functions(String name) {
    return List.of();
  }

  /**
   * A register, a value of the history ({@code $1}, {@code $}, {@code $$2}) or a convenience
   * variable, named without its first {@code $}.
   */
  Optional<Value> dollar(String name);

  /** What a name means that nothing in the program has, no enumerator and no member either. */
  default Optional<Value> otherwise(String name) {
    return Optional.empty();
  }

  /**
   * The address that a per-CPU offset has on a CPU.
   *
   * @throws dev.fathom.base.EvalException when there is no such CPU
   */
  long perCpu(long offset, int cpu);

  /** Sets a register or convenience variable, named without its {@code $}. */
  default void assign(String dollar, Value value) {
    throw new UnsupportedException("$" + dollar + " cannot be set here");
  }

  /**
   * Writes bytes to the target, at the start of the place {@code at}.
   *
   * @throws dev.fathom.base.FathomException when the target is not open for writing
   */
  default void write(Value.Ref at, byte[] bytes) {
    throw new UnsupportedException("the target cannot be written here");
  }

  /**
   * The element of a container of C++, where it is known how that keeps them.
   *
   * @param index its number or key
   * @throws dev.fathom.base.EvalException when there is no such element
   */
  default Optional<Value> element(Value.Ref container, Value index) {
    return Optional.empty();
  }

  /** What a smart pointer or iterator of C++ leads to, where it is known how that keeps it. */
  default Optional<Value> pointee(Value.Ref object) {
    return Optional.empty();
  }

  /** The text that an object of C++ is, where it is known how that keeps it. */
  default Optional<String> text(Value.Ref object) {
    return Optional.empty();
  }

  /**
   * What a method of a container of C++ that takes no arguments returns, where it is known how that
   * keeps its elements: its size, whether it is empty, an element.
   *
   * @throws dev.fathom.base.EvalException when there is no such element
   */
  default Optional<Value> method(Value.Ref container, String name) {
    return Optional.empty();
  }

  /**
   * What the caller of the selected frame's function passed for a parameter.
   *
   * @throws dev.fathom.base.EvalException for what is no parameter, or when nothing tells
   */
  default Value atEntry(String parameter) {
    throw new UnsupportedException("there is no frame here");
  }

  /** What a function is called with. */
  sealed interface Argument {}

  /** A value, passed as its type is: its bytes, the least significant first. */
  record Passed(CType type, byte[] bytes) implements Argument {}

  /** Bytes, such as those of a text; the function gets their address. */
  record Text(byte[] bytes) implements Argument {}

  /**
   * What a function returned.
   *
   * @param bytes the least significant first; none of {@code void}
   * @param place where they stand, if it was returned in memory
   */
  record Returned(byte[] bytes, OptionalLong place) {}

  /** Calls a function of a live target. */
  default Returned call(long function, CType result, List<Argument> arguments) {
    throw new UnsupportedException("calling a function needs a live target");
  }
}
