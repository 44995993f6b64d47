// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.model.CxxNames;
import dev.fathom.model.Registers;
import dev.fathom.model.Value;
import dev.fathom.model.source.Activation;
import dev.fathom.model.source.FrameView;
import dev.fathom.model.source.SourceFrame;
import dev.fathom.model.source.SourceLine;
import dev.fathom.model.source.Variable;
import dev.fathom.model.type.PointerType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** What expressions see of the selected frame: its registers, its parameters and locals. */
public final class FrameNames {
  /** Flags and segments. */
  private static final List<String> SHARED =
      List.of("eflags", "cs", "ss", "ds", "es", "fs", "gs", "fs_base", "gs_base", "cpsr", "pstate");

  private FrameNames() {}

  /** The registers of the selected frame; none where no thread is. */
  public static Optional<Registers> registers(Invocation call) {
    if (call.environment().selectedFrame() == 0) {
      return ofThread(call);
    }
    var outer = Frames.selected(call).frame().registers();
    return Optional.of(
        call.kernel().isProcess()
            ? ofThread(call).map(inner -> withShared(outer, inner)).orElse(outer)
            : outer);
  }

  private static Optional<Registers> ofThread(Invocation call) {
    return call.environment().currentTask(call.kernel()).flatMap(call.kernel()::registersOf);
  }

  /** An outer frame with the registers that no function keeps for its caller, as gdb has them. */
  private static Registers withShared(Registers outer, Registers inner) {
    var all = outer;
    for (var name : SHARED) {
      var register = outer.file().named(name);
      if (register.isPresent() && outer.get(register.get()).isEmpty()) {
        var value = inner.get(register.get());
        if (value.isPresent()) {
          all = all.with(register.get(), value.getAsLong());
        }
      }
    }
    return all;
  }

  /**
   * The parameter or local variable of that name.
   *
   * @throws EvalException when the frame has it, but it is not there
   */
  static Optional<Value> variable(Invocation call, String name) {
    var frame = frame(call);
    if (frame.isEmpty() || frame.get().activation().isEmpty()) {
      return Optional.empty();
    }
    var view = frame.get().view();
    var activation = frame.get().activation().get();
    var local = local(activation, name);
    return local.isPresent()
        ? Optional.of(value(name, local.get().in(view)))
        : member(activation, view, name);
  }

  /**
   * The parameter or local variable of that name, and no member.
   *
   * @throws EvalException when the frame has it, but it is not there
   */
  static Optional<Value> ofBlock(Invocation call, String name) {
    return frame(call)
        .flatMap(
            frame ->
                frame
                    .activation()
                    .flatMap(activation -> local(activation, name))
                    .map(variable -> value(name, variable.in(frame.view()))));
  }

  /**
   * What the caller of the selected frame passed for a parameter.
   *
   * @throws EvalException for what is no parameter, or when nothing tells
   */
  static Value atEntry(Invocation call, String name) {
    var frame = frame(call);
    return atEntry(frame.flatMap(SourceFrame::activation), () -> frame.orElseThrow().view(), name);
  }

  /**
   * What a parameter had when its function began.
   *
   * @param view of the function's frame, with those of its callers
   */
  static Value atEntry(Optional<Activation> activation, Supplier<FrameView> view, String name) {
    var found =
        activation
            .flatMap(at -> at.parameters().stream().filter(p -> p.name().equals(name)).findFirst())
            .orElseThrow(
                () ->
                    new EvalException(
                        "@entry can be used only for function parameters, not for '" + name + "'"));
    return found
        .atEntry(view.get())
        .orElseThrow(() -> new EvalException("'" + name + "@entry' is optimized out"));
  }

  /** The line of the selected frame. */
  static Optional<SourceLine> line(Invocation call) {
    return frame(call).flatMap(SourceFrame::activation).flatMap(Activation::line);
  }

  /** A variable of the source file that the selected frame's function is in. */
  static Optional<Value> ofFile(Invocation call, String name) {
    return frame(call)
        .flatMap(frame -> frame.activation().flatMap(a -> ofFile(a, frame.view(), name)));
  }

  /** A variable of the source file that a function is in. */
  static Optional<Value> ofFile(Activation activation, FrameView view, String name) {
    return activation
        .ofFile(name)
        .flatMap(
            variable ->
                variable.in(view) instanceof Variable.Present(Value value)
                    ? Optional.of(value)
                    : Optional.empty());
  }

  /** The local variable, of the innermost block that has one, or parameter of that name. */
  static Optional<Variable> local(Activation activation, String name) {
    for (var variable : activation.locals()) {
      if (variable.name().equals(name)) {
        return Optional.of(variable);
      }
    }
    for (var parameter : activation.parameters()) {
      if (parameter.name().equals(name)) {
        return Optional.of(parameter);
      }
    }
    return Optional.empty();
  }

  /**
   * What is there of a variable.
   *
   * @throws EvalException when it is not there
   */
  static Value value(String name, Variable.Content content) {
    return switch (content) {
      case Variable.Present(Value value) -> value;
      case Variable.AtEntry(Value value) -> value;
      case Variable.Gone(String why) -> throw new EvalException(name + ": " + why);
    };
  }

  /**
   * The namespaces and classes around the function of the selected frame, the innermost first, in
   * which names need no scope.
   */
  static List<String> scopes(Invocation call) {
    return frame(call)
        .flatMap(SourceFrame::activation)
        .map(activation -> scopes(activation.function()))
        .orElse(List.of());
  }

  /** The namespaces and classes around a function, the innermost first. */
  static List<String> scopes(String function) {
    var scopes = new ArrayList<String>();
    var around = function;
    for (int end = CxxNames.scopeEnd(around); end > 0; end = CxxNames.scopeEnd(around)) {
      around = around.substring(0, end);
      scopes.add(around);
    }
    return scopes;
  }

  /** In a method, a member of the object. */
  static Optional<Value> member(Activation activation, FrameView view, String name) {
    return local(activation, "this").isPresent()
            && local(activation, "this").get().in(view) instanceof Variable.Present(Value object)
            && object.type().resolved() instanceof PointerType
            && object.has(name)
        ? Optional.of(object.member(name))
        : Optional.empty();
  }

  /** The selected frame; none where there is no stack, which then hides nothing. */
  private static Optional<SourceFrame> frame(Invocation call) {
    if (call.environment().currentTask(call.kernel()).isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(Frames.selected(call));
    } catch (FathomException e) {
      return Optional.empty(); // Without a stack names are those of the program.
    }
  }
}
