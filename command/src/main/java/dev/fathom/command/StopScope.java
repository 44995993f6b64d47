// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.kernel.Kernel;
import dev.fathom.model.Registers;
import dev.fathom.model.Value;
import dev.fathom.model.source.Activation;
import dev.fathom.model.source.FrameView;
import dev.fathom.model.source.SourceInfo;
import dev.fathom.model.source.Variable;
import dev.fathom.model.unwind.Frame;
import java.util.List;
import java.util.Optional;

/**
 * Names in C expressions at the place where a CPU stands: the parameters and locals of the function
 * there, as the debug information has them, hide those of {@link ProgramScope}. Valid while the CPU
 * stands there. The stack is walked only for variables that its innermost frame does not lead to.
 */
public class StopScope extends ProgramScope {
  private final Kernel kernel;
  private final SourceInfo source;
  private final Registers registers;
  private Optional<List<Activation>> activations = Optional.empty();
  private Optional<FrameView> walked = Optional.empty();

  /**
   * @param registers the CPU's
   */
  public StopScope(Kernel kernel, SourceInfo source, Registers registers) {
    super(kernel, () -> Optional.of(registers));
    this.kernel = kernel;
    this.source = source;
    this.registers = registers;
  }

  @Override
  public Optional<Value> variable(String name) {
    var local = local(name);
    if (local.isPresent()) {
      return Optional.of(FrameNames.value(name, local.get()));
    }
    return activation()
        .flatMap(activation -> FrameNames.member(activation, innermost(), name))
        .or(() -> inScope(name))
        .or(() -> activation().flatMap(a -> FrameNames.ofFile(a, innermost(), name)))
        .or(() -> super.variable(name));
  }

  @Override
  public Optional<Value> ofBlock(String name) {
    return local(name).map(content -> FrameNames.value(name, content));
  }

  @Override
  public Optional<Value> variable(String scope, String name) {
    return scope.isEmpty() ? super.variable(name) : super.variable(scope, name);
  }

  @Override
  public Value atEntry(String parameter) {
    return FrameNames.atEntry(activation(), this::walked, parameter);
  }

  /**
   * The parameter or local variable of that name if it is there; empty also where it is optimised
   * out.
   */
  protected final Optional<Value> present(String name) {
    return local(name)
        .filter(content -> !(content instanceof Variable.Gone))
        .map(content -> FrameNames.value(name, content));
  }

  private Optional<Variable.Content> local(String name) {
    var local = activation().flatMap(activation -> FrameNames.local(activation, name));
    return local.map(
        variable -> {
          var content = variable.in(innermost());
          return content instanceof Variable.Gone ? variable.in(walked()) : content;
        });
  }

  private Optional<Activation> activation() {
    if (activations.isEmpty()) {
      var pc = registers.pc();
      activations = Optional.of(pc.isEmpty() ? List.of() : source.activations(pc.getAsLong()));
    }
    return activations.get().isEmpty()
        ? Optional.empty()
        : Optional.of(activations.get().get(frame(activations.get())));
  }

  /** Which of the functions at work, innermost first, is the one whose names count. */
  protected int frame(List<Activation> at) {
    return 0;
  }

  @Override
  public List<String> around() {
    return around(activation());
  }

  private FrameView innermost() {
    long pc = registers.pc().orElseThrow();
    long sp = registers.sp().orElse(0);
    var frame = new Frame(pc, true, registers, sp, Frame.How.REGISTERS, "");
    return new FrameView(kernel.program(), List.of(frame), 0);
  }

  private FrameView walked() {
    if (walked.isEmpty()) {
      var frames = kernel.stack(registers).frames();
      walked =
          Optional.of(frames.isEmpty() ? innermost() : new FrameView(kernel.program(), frames, 0));
    }
    return walked.get();
  }
}
