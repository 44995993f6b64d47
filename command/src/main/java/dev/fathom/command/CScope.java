// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.EvalException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.lang.ClassNames;
import dev.fathom.model.Register;
import dev.fathom.model.RegisterFile;
import dev.fathom.model.Value;
import dev.fathom.model.source.Activation;
import dev.fathom.model.source.SourceLine;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.session.control.Calls;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * Names in the C expressions that a user types: those of {@link ProgramScope} with the registers of
 * the selected thread, the history, and convenience variables. Assignments and calls work where the
 * target is open for writing.
 */
public final class CScope extends ProgramScope {
  private static final Duration CALL_LIMIT = Duration.ofSeconds(5);

  private final Invocation call;

  /** All calls of an expression, so that what one returns is there for the next. */
  private Optional<Calls> calls = Optional.empty();

  public CScope(Invocation call) {
    super(call.kernel(), () -> FrameNames.registers(call));
    this.call = call;
  }

  /**
   * {@inheritDoc} Locals of a process and of a frame that was chosen, what is in the classes and
   * namespaces around its function, and variables of the file that this is in hide variables of the
   * program; of a kernel without such a choice those of the innermost frame come last, since
   * finding them takes a walk of the stack.
   */
  @Override
  public Optional<Value> variable(String name) {
    if (framesFirst()) {
      return FrameNames.variable(call, name)
          .or(() -> inScope(name))
          .or(() -> FrameNames.ofFile(call, name))
          .or(() -> global(name));
    }
    var global = global(name);
    return global.isPresent() ? global : FrameNames.variable(call, name).or(() -> inScope(name));
  }

  /** {@inheritDoc} Where variables of the program come first, they do here as well. */
  @Override
  public Optional<Value> ofBlock(String name) {
    return framesFirst()
        ? FrameNames.ofBlock(call, name)
        : super.variable(name).or(() -> FrameNames.ofBlock(call, name));
  }

  @Override
  protected void checkInterrupt() {
    call.checkInterrupt();
  }

  private boolean framesFirst() {
    return call.environment().frameChosen() || call.kernel().isProcess();
  }

  /** Of several functions of C that one file each has for itself, that of the selected frame's. */
  private Optional<Value> global(String name) {
    var first = super.variable(name);
    if (first.isEmpty() || !(first.get().type() instanceof FunctionType)) {
      return first;
    }
    var all = ofC(name);
    var path = all.size() > 1 ? FrameNames.line(call).map(SourceLine::path) : Optional.empty();
    return path.isEmpty()
        ? first
        : all.stream()
            .filter(
                s -> call.session().sources().line(s.address()).map(SourceLine::path).equals(path))
            .findFirst()
            .map(this::typed)
            .or(() -> first);
  }

  /** {@code pid}, {@code comm} and the like are those of the selected thread. */
  @Override
  public Optional<Value> otherwise(String name) {
    if (!THREAD.contains(name)) {
      return Optional.empty();
    }
    var task = call.environment().currentTask(call.kernel());
    return ofThread(name, task, OptionalInt.empty());
  }

  @Override
  public List<String> around() {
    return FrameNames.scopes(call);
  }

  @Override
  public List<Function> functions(String name) {
    var found = super.functions(name);
    if (!framesFirst() && super.variable(name).isPresent()) {
      return found;
    }
    return around().stream()
        .flatMap(
            scope -> Stream.concat(Stream.of(scope), ClassNames.bases(program(), scope).stream()))
        .map(scope -> super.functions(scope + "::" + name))
        .filter(inner -> !inner.isEmpty())
        .findFirst()
        .orElse(found);
  }

  @Override
  public Optional<Value> variable(String scope, String name) {
    return scope.isEmpty() ? super.variable(name) : super.variable(scope, name);
  }

  @Override
  public Optional<Value> dollar(String name) {
    var state = call.environment().gdb();
    var recalled = state.recall(name);
    if (recalled.isPresent()) {
      return recalled;
    }
    return register(name).or(() -> state.variable(name)).or(() -> Conveniences.of(call, name));
  }

  /** A register, a vector one or one of the FPU as well, by its name without {@code $}. */
  public Optional<Value> register(String name) {
    return super.dollar(name).or(() -> RegisterValues.of(call, name));
  }

  /** Of a library's function that has other names, such as the C library's {@code __sqrt}. */
  @Override
  protected Optional<CType> functionAt(long address) {
    return call.session().sources().activations(address).stream()
        .filter(at -> !at.inlined() && at.entry() == address)
        .findFirst()
        .flatMap(Activation::type);
  }

  @Override
  public Value atEntry(String parameter) {
    return FrameNames.atEntry(call, parameter);
  }

  @Override
  public void assign(String name, Value value) {
    var state = call.environment().gdb();
    var file = program().architecture().registers();
    var part = file.part(name);
    if (part.isPresent()) {
      assign(part.get(), value);
      return;
    }
    if (name.isEmpty() || name.charAt(0) == '$' || Character.isDigit(name.charAt(0))) {
      throw new EvalException("a value of the history cannot be set: $" + name);
    }
    state.set(name, value);
  }

  private void assign(RegisterFile.Part part, Value value) {
    Register register = part.register();
    long bits = value.asLong();
    if (part.bits() < register.bits()) {
      long mask = (1L << part.bits()) - 1;
      long old =
          call.kernel()
              .registersOf(Tasks.selected(call))
              .map(r -> r.get(register))
              .orElseThrow(() -> new EvalException("the thread's registers are not known"))
              .orElseThrow(
                  () -> new EvalException("register " + register.name() + " is not known"));
      bits =
          part.cleared()
              ? bits & mask
              : (old & ~(mask << part.shift())) | ((bits & mask) << part.shift());
    }
    Writing.register(call.session(), call.environment(), register, bits);
  }

  @Override
  public void write(Value.Ref at, byte[] bytes) {
    Writing.checkAllowed(call.session(), call.environment());
    if (!at.space().equals(program().memory())) {
      throw new UnsupportedException("only the kernel's own memory can be assigned to");
    }
    Writing.memory(call.session(), call.environment(), false, at.address(), bytes);
  }

  @Override
  public Returned call(long function, CType result, List<Argument> arguments) {
    Writing.checkAllowed(call.session(), call.environment());
    if (call.session().control().running()) {
      throw new EvalException("the target runs: stop it first (::stop)");
    }
    int cpu = Writing.cpu(call.session(), call.environment()).id();
    var calls = calls();
    calls.risk(cpu).ifPresent(call::warn);
    var given =
        arguments.stream()
            .map(
                argument ->
                    switch (argument) {
                      case Passed(CType type, byte[] bytes) ->
                          (Calls.Argument) new Calls.Held(type, bytes);
                      case Text(byte[] bytes) -> new Calls.Text(bytes);
                    })
            .toList();
    try {
      byte[] bytes = calls.call(cpu, function, result, given, CALL_LIMIT);
      return new Returned(bytes, calls.place());
    } finally {
      call.session().refresh().forEach(call::warn);
    }
  }

  private Calls calls() {
    if (calls.isEmpty()) {
      calls = Optional.of(new Calls(call.session()));
    }
    return calls.get();
  }
}
