// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.standard;

import dev.fathom.command.CommandGroup;
import dev.fathom.command.CommandService;
import dev.fathom.command.control.ControlCommands;
import dev.fathom.command.core.CoreCommands;
import dev.fathom.command.crash.CrashCommands;
import dev.fathom.command.ddb.DdbCommands;
import dev.fathom.command.gdb.GdbCommands;
import dev.fathom.command.kernel.KernelCommands;
import dev.fathom.command.language.Interpreter;
import dev.fathom.command.source.SourceCommands;
import dev.fathom.session.Session;
import java.util.List;

/** The commands that come with the program, and an interpreter for them. */
public final class StandardCommands {
  private StandardCommands() {}

  /** Every group; the first that knows a name wins. */
  public static List<CommandGroup> groups() {
    return List.of(
        new CoreCommands(),
        new KernelCommands(),
        new GdbCommands(),
        new CrashCommands(),
        new ControlCommands(),
        new DdbCommands(),
        new SourceCommands());
  }

  /** An interpreter over {@code session} with every group. */
  public static CommandService over(Session session) {
    return new Interpreter(session, groups());
  }
}
