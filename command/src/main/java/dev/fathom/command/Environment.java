// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.Task;
import dev.fathom.model.Program;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Predicate;

/** What lasts from one command line to the next: variables, settings, commands, selections. */
public final class Environment {
  private final Variables variables = new Variables();
  private final Settings settings = new Settings();
  private final SessionLog log = new SessionLog();
  private final GdbState gdb = new GdbState();
  private final List<CommandGroup> groups;
  private final Map<String, Command> commands = new HashMap<>();
  private OptionalLong selectedTask = OptionalLong.empty();
  private int selectedFrame;
  private boolean frameChosen;
  private Optional<Disassembly> disassembly = Optional.empty();
  private Predicate<String> structures = name -> false;
  private boolean quitting;

  /**
   * @param groups asked in this order; the first that knows a name wins
   */
  public Environment(List<CommandGroup> groups) {
    this.groups = List.copyOf(groups);
  }

  public Variables variables() {
    return variables;
  }

  public Settings settings() {
    return settings;
  }

  /** What gdb's commands keep. */
  public GdbState gdb() {
    return gdb;
  }

  public SessionLog log() {
    return log;
  }

  public List<CommandGroup> groups() {
    return groups;
  }

  /**
   * The command that answers to {@code name}; {@code group`name} asks one group only. Instances are
   * kept.
   */
  public Optional<Command> command(Grammar grammar, String name) {
    var key = grammar.name() + name;
    var known = commands.get(key);
    if (known != null) {
      return Optional.of(known);
    }
    int quote = name.lastIndexOf('`');
    var group = quote < 0 ? "" : name.substring(0, quote);
    var bare = name.substring(quote + 1);
    for (var candidate : groups) {
      if (group.isEmpty() || candidate.name().equals(group)) {
        var found = candidate.command(grammar, bare);
        if (found.isPresent()) {
          commands.put(key, found.get());
          return found;
        }
      }
    }
    return Optional.empty();
  }

  /**
   * Whether a bare name, up to its first dot, is that of a structure or union and of no symbol, so
   * that crash's spelling shows it.
   */
  public boolean isStructure(String name) {
    int dot = name.indexOf('.');
    return structures.test(dot < 0 ? name : name.substring(0, dot));
  }

  /** Sets how names of structures are known. */
  public void structures(Predicate<String> known) {
    structures = known;
  }

  /** The task that {@code set} or {@code ::context} chose, by the address of its structure. */
  public OptionalLong selectedTask() {
    return selectedTask;
  }

  /** The selected task, else the one to look at first: that panicked, or one that runs. */
  public Optional<Task> currentTask(Kernel kernel) {
    return selectedTask.isPresent()
        ? Optional.of(kernel.task(selectedTask.getAsLong()))
        : kernel.initialTask();
  }

  /** Selects a task, and its innermost frame. */
  public void selectTask(OptionalLong address) {
    selectedTask = address;
    selectedFrame = 0;
    frameChosen = false;
  }

  /** Whether a frame was chosen since the task was. */
  public boolean frameChosen() {
    return frameChosen;
  }

  /** The number of the selected frame of the selected task, 0 for the innermost. */
  public int selectedFrame() {
    return selectedFrame;
  }

  public void selectFrame(int number) {
    selectedFrame = number;
    frameChosen = true;
  }

  /** Another kernel runs now: what was selected of the old one is forgotten. */
  public void forgetKernel() {
    selectTask(OptionalLong.empty());
    disassembly = Optional.empty();
    gdb.forget();
  }

  /** The disassembler for {@code program}, made when first asked for. */
  public Disassembly disassembly(Program program) {
    if (disassembly.isEmpty()) {
      disassembly = Optional.of(Disassembly.of(program));
    }
    return disassembly.get();
  }

  /** Disassembles with {@code chosen} from now on. */
  public void disassembly(Disassembly chosen) {
    disassembly = Optional.of(chosen);
  }

  /** Whether the user asked to leave. */
  public boolean quitting() {
    return quitting;
  }

  /** Asks the program to end once this command line is over. */
  public void quit() {
    quitting = true;
  }
}
