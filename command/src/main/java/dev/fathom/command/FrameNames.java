// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.model.Registers;
import dev.fathom.model.Value;
import dev.fathom.model.source.Activation;
import dev.fathom.model.source.SourceFrame;
import dev.fathom.model.source.Variable;
import dev.fathom.model.type.PointerType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What expressions see of the selected frame: its registers, its parameters and locals. */
final class FrameNames {
  private FrameNames() {}

  /** The registers of the selected frame. */
  static Optional<Registers> registers(Invocation call) {
    return call.environment().selectedFrame() == 0
        ? call.kernel().registersOf(Tasks.selected(call))
        : Optional.of(Frames.selected(call).frame().registers());
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
    var activation = frame.get().activation().get();
    List<Variable> all = new ArrayList<>(activation.locals());
    all.addAll(activation.parameters());
    for (var variable : all) {
      if (variable.name().equals(name)) {
        return Optional.of(
            switch (variable.in(frame.get().view())) {
              case Variable.Present(Value value) -> value;
              case Variable.AtEntry(Value value) -> value;
              case Variable.Gone(String why) -> throw new EvalException(name + ": " + why);
            });
      }
    }
    return member(all, frame.get(), name);
  }

  /**
   * The namespaces and classes around the function of the selected frame, the innermost first, in
   * which names need no scope.
   */
  static List<String> scopes(Invocation call) {
    var function = frame(call).flatMap(SourceFrame::activation).map(Activation::function);
    var scopes = new ArrayList<String>();
    var around = function.orElse("");
    for (int end = lastScope(around); end > 0; end = lastScope(around)) {
      around = around.substring(0, end);
      scopes.add(around);
    }
    return scopes;
  }

  /** Where the last {@code ::} outside of a template's arguments is. */
  private static int lastScope(String name) {
    int depth = 0;
    for (int i = name.length() - 1; i > 0; i--) {
      char c = name.charAt(i);
      depth += c == '>' ? 1 : c == '<' ? -1 : 0;
      if (c == ':' && name.charAt(i - 1) == ':' && depth == 0) {
        return i - 1;
      }
    }
    return -1;
  }

  /** In a method, a member of the object. */
  private static Optional<Value> member(List<Variable> all, SourceFrame frame, String name) {
    for (var variable : all) {
      if (variable.name().equals("this")
          && variable.in(frame.view()) instanceof Variable.Present(Value object)
          && object.type().resolved() instanceof PointerType
          && object.has(name)) {
        return Optional.of(object.member(name));
      }
    }
    return Optional.empty();
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
