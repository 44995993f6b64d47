// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli.demo;

import dev.fathom.base.Sink;
import dev.fathom.base.TargetException;
import dev.fathom.command.CommandService;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.session.Session;
import dev.fathom.testkit.lab.Fault;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.LabDump;
import dev.fathom.testkit.lab.LabRecipes;
import dev.fathom.testkit.lab.Recipe;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Boots a guest, lets a module of its kernel write through a null pointer, takes the dump, opens it
 * and shows what is in it.
 */
public final class Demo {
  private static final int MEMORY_MIB = 256;
  private static final int CONSOLE_LINES = 4;

  /** A command to run, and what to say before it. */
  private record Step(String words, String line) {}

  private static final List<Step> STEPS =
      List.of(
          new Step(
              "Which kernel is it, and how was it found? Nothing but the dump was read: no vmlinux,"
                  + " no debuginfo, no network.",
              "::status"),
          new Step("Why did it die?", "::panicinfo"),
          new Step(
              "How did it get there? The stack of the task that panicked, across the exception,"
                  + " through the module's own frames down to the system call. Each frame says how"
                  + " it was found; orc is the kernel's own unwind table, read from the dump.",
              "::findstack -v"),
          new Step(
              "The module fathom_fault stored a number at the address in RAX. Here is the"
                  + " instruction that did it:",
              "fathom_fault_leaf+6::dis -n 2"),
          new Step(
              "RAX was zero: the kernel said so itself in its log, which is in the dump too.",
              "::msgbuf ! grep -E 'BUG|RIP: 0010|RAX' | sort -u"),
          new Step(
              "What ran on this machine besides the kernel's threads? The processes below init, each"
                  + " with the address of its task_struct.",
              "0t1::pid2proc | ::ptree"),
          new Step(
              "Types come from the kernel's BTF, so every structure can be printed by name.",
              "::pgrep insmod | ::print struct task_struct comm pid flags mm->total_vm"),
          new Step(
              "What do the other threads wait for? Equal stacks are shown once and counted."
                  + " These wait in pause(2):",
              "::stacks -c __do_sys_pause"),
          new Step("The modules that were loaded, the culprit first.", "::modinfo"),
          new Step("Those who know crash may type its commands.", "bt"));

  private final Lab lab;
  private final Appendable out;
  private final Sink sink;

  /**
   * A demo that tells its story to {@code out} and shows the commands' results with {@code sink},
   * which writes to the same place.
   */
  public Demo(Lab lab, Appendable out, Sink sink) {
    this.lab = lab;
    this.out = out;
    this.sink = sink;
  }

  /**
   * Makes the guest and its dump in a folder and looks at it.
   *
   * @param folder where the dump goes; the caller deletes it or keeps it
   * @return whether every command worked
   */
  public boolean run(Path folder, KernelOptions options) {
    LabDump dump = lab.make(recipe(), folder);
    List<String> console = dump.console().lines().filter(line -> !line.isBlank()).toList();
    say("The guest is dead. The last that it said on its console:");
    say("");
    for (String line :
        console.subList(Math.max(0, console.size() - CONSOLE_LINES), console.size())) {
      say("    " + line);
    }
    return show(dump, options);
  }

  /** Opens a dump of the demo's guest and goes through the steps. */
  boolean show(LabDump dump, KernelOptions options) {
    say("");
    say("    $ fathom open " + dump.dump());
    boolean good = true;
    try (Session session = Session.open(List.of(dump.dump()), options)) {
      CommandService service = StandardCommands.over(session);
      for (Step step : STEPS) {
        say("");
        wrap(step.words());
        say("");
        say("    > " + step.line());
        good &= service.run(step.line(), sink).ok();
      }
    }
    return good;
  }

  /** The guest of the demo, with the oldest of the lab's kernels that this machine can get. */
  private Recipe recipe() {
    List<String> reasons = new ArrayList<>();
    for (String kernel : LabRecipes.KERNELS) {
      try {
        say("The guest will run Linux " + lab.kernel(kernel).release() + ".");
        return recipe(kernel);
      } catch (TargetException e) {
        reasons.add(e.getMessage());
      }
    }
    throw new TargetException(String.join("; ", reasons));
  }

  static Recipe recipe(String kernel) {
    return Recipe.healthy(kernel).named("demo").memory(MEMORY_MIB).fault(Fault.NULL_IN_MODULE);
  }

  /** Deletes a folder and what is in it. */
  public static void delete(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (Stream<Path> all = Files.walk(folder)) {
        for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(path);
        }
      }
    }
  }

  private void wrap(String words) {
    StringBuilder line = new StringBuilder();
    for (String word : words.split(" ")) {
      if (line.length() + word.length() > 76) {
        say(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    say(line.toString());
  }

  private void say(String line) {
    try {
      out.append(line).append('\n');
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
