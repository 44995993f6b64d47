// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.language;

import dev.fathom.base.FathomException;
import dev.fathom.base.Outcome;
import dev.fathom.base.Sink;
import dev.fathom.command.CommandGroup;
import dev.fathom.command.CommandService;
import dev.fathom.command.Environment;
import dev.fathom.command.Variables;
import dev.fathom.command.Writing;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.Task;
import dev.fathom.model.Registers;
import dev.fathom.model.type.TypeName;
import dev.fathom.session.Session;
import dev.fathom.target.Live;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Runs command lines in mdb's language, and lines in crash's spelling, over a session. */
public final class Interpreter implements CommandService {
  private final Session session;
  private Kernel kernel;
  private final Environment environment;
  private final Position position = new Position();
  private final Execution.Memo memo = new Execution.Memo();

  public Interpreter(Session session, List<CommandGroup> groups) {
    this.session = session;
    this.kernel = session.kernel();
    this.environment = new Environment(groups);
    var variables = environment.variables();
    variables.computed(".", () -> OptionalLong.of(position.dot()));
    variables.computed("thread", this::threadAddress);
    variables.add(new RegisterVariables());
    environment.structures(this::isStructure);
  }

  @Override
  public Environment environment() {
    return environment;
  }

  @Override
  public void interrupt() {
    session.interrupt();
  }

  @Override
  public Outcome run(String line, Sink user) {
    var sink = environment.log().through(user);
    sink.begin(line);
    // What came after the line before had ended was not meant for this one.
    session.takeInterrupt();
    var execution = new Execution(session, environment, position, memo, sink);
    try {
      session.begin().forEach(execution::warn);
      try {
        forgetOldKernel();
        execution.run(line);
      } finally {
        session.end();
      }
    } catch (FathomException e) {
      execution.fail(e.getMessage());
    } catch (RuntimeException | StackOverflowError e) {
      // A mistake of ours must not take the session with it.
      execution.fail("internal error, please report it: " + e + at(e));
    }
    execution.reportLosses();
    var outcome = execution.outcome();
    sink.end(outcome);
    return outcome;
  }

  /** What was selected of a kernel means nothing in another. */
  private void forgetOldKernel() {
    if (!kernel.equals(session.kernel())) {
      kernel = session.kernel();
      environment.forgetKernel();
    }
  }

  private static String at(Throwable e) {
    var trace = e.getStackTrace();
    return trace.length == 0 ? "" : " at " + trace[0];
  }

  private boolean isStructure(String name) {
    var program = session.kernel().program();
    if (program.symbols().first(name).isPresent()) {
      return false;
    }
    for (var kind : List.of(TypeName.Kind.STRUCT, TypeName.Kind.UNION)) {
      if (program.types().find(new TypeName(kind, name)).isPresent()) {
        return true;
      }
    }
    return false;
  }

  private Optional<Task> task() {
    return environment.currentTask(session.kernel());
  }

  private OptionalLong threadAddress() {
    var task = task();
    return task.isPresent() ? OptionalLong.of(task.get().object().address()) : OptionalLong.empty();
  }

  /** {@code <rip} and the like: of the selected thread. */
  private final class RegisterVariables implements Variables.Source {
    @Override
    public List<String> names() {
      var names = new ArrayList<String>();
      for (var register : session.kernel().program().architecture().registers().registers()) {
        names.add(register.name());
      }
      return names;
    }

    @Override
    public boolean set(String name, long value) {
      var register = session.kernel().program().architecture().registers().named(name);
      if (register.isEmpty() || session.target().find(Live.class).isEmpty()) {
        return false;
      }
      Writing.register(session, environment, register.get(), value);
      return true;
    }

    @Override
    public Optional<String> unknown(String name) {
      if (!names().contains(name)) {
        return Optional.empty();
      }
      var task = task();
      if (task.isEmpty()) {
        return Optional.of("register '" + name + "' is not known: no thread is selected");
      }
      return Optional.of(
          isOnCpu(task.get())
              ? "register '" + name + "' of the selected thread is not known"
              : "the selected thread is on no CPU: it sleeps, and its '" + name + "' is not kept");
    }

    private boolean isOnCpu(Task task) {
      for (var cpu : session.target().cpus()) {
        var running = session.kernel().running(cpu);
        if (running.isPresent() && running.get().object().address() == task.object().address()) {
          return true;
        }
      }
      return false;
    }

    @Override
    public OptionalLong get(String name) {
      var register = session.kernel().program().architecture().registers().named(name);
      if (register.isEmpty()) {
        return OptionalLong.empty();
      }
      Optional<Registers> registers = task().flatMap(session.kernel()::registersOf);
      return registers.isPresent() ? registers.get().get(register.get()) : OptionalLong.empty();
    }
  }
}
