// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.UnsupportedException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.Map;
import java.util.stream.Stream;

/** A command of crash that Fathom does not have: it says what comes nearest. */
final class NotBuiltCommand implements Command {
  /** Each command with what does the same or a part of it; empty where nothing does. */
  static final Map<String, String> NEAREST =
      Map.ofEntries(
          Map.entry("alias", ""),
          Map.entry("ascii", "'rd -a ADDRESS'"),
          Map.entry("bpf", ""),
          Map.entry("btop", "'ADDRESS>>0t12=J'"),
          Map.entry("dev", ""),
          Map.entry("extend", ""),
          Map.entry("eval", "'p EXPRESSION', or 'EXPRESSION=K' for hexadecimal numbers"),
          Map.entry("files", "'TASK::print struct task_struct files->fdt'"),
          Map.entry("foreach", "'::walk thread | ::findstack', or '::stacks'"),
          Map.entry("fuser", ""),
          Map.entry("gdb", "'p', 'struct', 'whatis' or 'dis'"),
          Map.entry("ipcs", ""),
          Map.entry("irq", ""),
          Map.entry("kmem", "'ADDRESS::whatis', or 'ADDRESS::vtop' for its page"),
          Map.entry("mach", "'sys' or '::cpuinfo'"),
          Map.entry("mount", ""),
          Map.entry("net", ""),
          Map.entry("pte", "'ADDRESS::vtop'"),
          Map.entry("ptob", "'NUMBER<<0t12=J'"),
          Map.entry("ptov", ""),
          Map.entry("repeat", ""),
          Map.entry("runq", "'::cpuinfo' or 'ps -A'"),
          Map.entry("sbitmapq", ""),
          Map.entry("search", "'ADDRESS/M VALUE', which looks for 8 bytes from an address on"),
          Map.entry("sig", "'struct task_struct.pending,blocked,signal ADDRESS'"),
          Map.entry("swap", ""),
          Map.entry("timer", ""),
          Map.entry("vm", "'TASK::mappings'"),
          Map.entry("waitq", ""),
          Map.entry("wr", ""));

  private final String name;

  NotBuiltCommand(String name) {
    this.name = name;
  }

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash(name, "a command of crash that is not built")
        .arguments("...")
        .help(
            """
            Commands of crash that Fathom does not have say what comes nearest.

                > vm
                fathom: crash's vm is not built; nearest is 'TASK::mappings'
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var nearest = NEAREST.get(name);
    throw new UnsupportedException(
        "crash's "
            + name
            + " is not built"
            + (nearest.isEmpty() ? ", and nothing else does the same" : "; nearest is " + nearest));
  }
}
