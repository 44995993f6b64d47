// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import static java.util.stream.Collectors.joining;

import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.target.ProcessView;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** gdb's and ddb's {@code call}. */
final class GdbCallCommand implements Command {
  private static final Pattern CALL = Pattern.compile("\\*?([\\w.`$]+)\\s*(?:\\((.*)\\))?");
  private static final Pattern DECIMAL = Pattern.compile("-?[0-9]+");
  private static final Pattern OTHER = Pattern.compile("0x[0-9a-fA-F]+|[A-Za-z_.][\\w.`$]*");

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("call", "run a function of the kernel or process")
        .reading(CommandSpec.Reading.EXPRESSION)
        .arguments("function[(argument, ...)]")
        .help(
            """
            Runs a function on the CPU of the selected thread and shows what it returned, as
            `::call` does, whose help says what it can break. Arguments are numbers and symbols,
            which mean their addresses. Of a process it is `print`: a C expression, whose
            functions get arguments and return values of any type, as their declarations say.

                > call get_random_u32()
                > call kallsyms_lookup_name(0xffff888003a40000)
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var text =
        call.rawArguments().stream().map(argument -> argument.text()).collect(joining(" ")).strip();
    if (call.session().target().find(ProcessView.class).isPresent() && !text.isEmpty()) {
      return call.execute("print " + text);
    }
    var matched = CALL.matcher(text);
    if (!matched.matches()) {
      throw new UsageException("'" + text + "': expected function(argument, ...)");
    }
    var line = new StringBuilder("::call ").append(matched.group(1));
    String arguments = matched.group(2) == null ? "" : matched.group(2).strip();
    if (!arguments.isEmpty()) {
      for (String argument : arguments.split(",", -1)) {
        line.append(' ').append(mdb(argument.strip()));
      }
    }
    return call.execute(line.toString());
  }

  /** An argument as mdb's language has it. */
  private static String mdb(String argument) {
    if (DECIMAL.matcher(argument).matches()) {
      return argument.startsWith("-")
          ? "0x" + Long.toHexString(parsed(argument))
          : "0t" + parsed(argument);
    }
    if (!OTHER.matcher(argument).matches()) {
      throw new UsageException("argument '" + argument + "' is neither a number nor a symbol");
    }
    return argument;
  }

  private static long parsed(String number) {
    try {
      return Long.parseLong(number);
    } catch (NumberFormatException _) {
      throw new UsageException("argument '" + number + "' does not fit into 64 bits");
    }
  }
}
