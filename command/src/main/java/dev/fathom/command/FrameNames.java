// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.model.Registers;
import dev.fathom.model.Value;
import dev.fathom.model.source.SourceFrame;
import dev.fathom.model.source.Variable;
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
