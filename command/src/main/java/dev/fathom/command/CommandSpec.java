// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a command is, for the interpreter, for {@code ::help} and for the command reference.
 *
 * @param grammar the spelling it is typed in
 * @param name its name without {@code ::}
 * @param aliases other names, such as {@code $C}
 * @param address whether an address in front of it is refused, taken or needed
 * @param arguments what follows its options in the usage line: {@code type [member ...]}
 * @param options its options; parsed before it runs
 * @param summary one line for {@code ::dcmds}, in mdb's manner: lower case, no full stop
 * @param accepts the C type of its input, such as {@code struct task_struct}; the interpreter turns
 *     pointers, addresses and process ids into such values
 * @param yields the C type of what flows out of it through a pipe
 * @param input whether it runs once for each input value or once for all
 * @param reading how the line behind its name is read in crash's spelling
 * @param help Markdown: what it does, in sentences, and examples as typed with what they print
 */
public record CommandSpec(
    Grammar grammar,
    String name,
    List<String> aliases,
    Addressing address,
    String arguments,
    List<Option> options,
    String summary,
    Optional<String> accepts,
    Optional<String> yields,
    Input input,
    Reading reading,
    String help) {

  /**
   * Whether {@code address::name} is allowed. mdb writes these as nothing, {@code ?}, {@code :}.
   */
  public enum Addressing {
    NONE,
    OPTIONAL,
    REQUIRED
  }

  /** How the line behind a command's name is read in crash's spelling. */
  public enum Reading {
    /** Words; {@code >} names a file and {@code |} a command that the output goes to. */
    WORDS,
    /**
     * C: strings keep their quotes, {@code ||} is no pipe, and a slash behind the name begins a
     * format.
     */
    C,
    /**
     * As {@link #C}, for an expression whose value is shown: {@code >} names a file only before a
     * path that no expression begins like ({@code /}, {@code ./}, {@code ../}), and {@code |} is no
     * pipe before a number.
     */
    EXPRESSION,
    /** C up to the end of the statement: nothing goes to files or commands. */
    STATEMENT,
    /** Words, and from {@code if} on as {@link #STATEMENT}. */
    CONDITION;

    /** Whether strings keep their quotes from the first word on. */
    public boolean isC() {
      return this != WORDS && this != CONDITION;
    }
  }

  /** How a command takes what comes through a pipe. */
  public enum Input {
    /** It is run once for each value. */
    EACH,
    /** It is run once and reads {@link Invocation#input()}. */
    ALL
  }

  public CommandSpec {
    aliases = List.copyOf(aliases);
    options = List.copyOf(options);
  }

  /** Starts the description of {@code ::name}. */
  public static Builder mdb(String name, String summary) {
    return new Builder(Grammar.MDB, name, summary);
  }

  /** Starts the description of a command in crash's spelling. */
  public static Builder crash(String name, String summary) {
    return new Builder(Grammar.CRASH, name, summary);
  }

  /** The name as typed: {@code ::walk}, {@code $C}, {@code bt}. */
  public String typed() {
    boolean bare = grammar == Grammar.CRASH || "$:>".indexOf(name.charAt(0)) >= 0;
    return bare ? name : "::" + name;
  }

  /** The line behind {@code Usage:}: {@code [address] ::dis [-abw] [-n count] [addr]}. */
  public String usage() {
    var line = new StringBuilder();
    if (grammar == Grammar.MDB) {
      line.append(
          switch (address) {
            case NONE -> "";
            case OPTIONAL -> "[address] ";
            case REQUIRED -> "address ";
          });
    }
    line.append(typed());
    var flags = new StringBuilder();
    for (var option : options) {
      if (option.argument().isEmpty()) {
        flags.append(option.letter());
      }
    }
    if (!flags.isEmpty()) {
      line.append(" [-").append(flags).append(']');
    }
    for (var option : options) {
      if (option.argument().isPresent()) {
        line.append(" [-").append(option.letter()).append(' ').append(option.argument().get());
        line.append(']');
      }
    }
    if (!arguments.isEmpty()) {
      line.append(' ').append(arguments);
    }
    return line.toString();
  }

  /** Collects a description. */
  public static final class Builder {
    private final Grammar grammar;
    private final String name;
    private final String summary;
    private final List<String> aliases = new ArrayList<>();
    private final List<Option> options = new ArrayList<>();
    private Addressing address = Addressing.NONE;
    private String arguments = "";
    private Optional<String> accepts = Optional.empty();
    private Optional<String> yields = Optional.empty();
    private Input input = Input.EACH;
    private Reading reading = Reading.WORDS;

    private Builder(Grammar grammar, String name, String summary) {
      this.grammar = grammar;
      this.name = name;
      this.summary = summary;
    }

    public Builder alias(String alias) {
      aliases.add(alias);
      return this;
    }

    /** An address may stand in front. */
    public Builder addressOptional() {
      address = Addressing.OPTIONAL;
      return this;
    }

    /** An address must stand in front. */
    public Builder addressRequired() {
      address = Addressing.REQUIRED;
      return this;
    }

    /** What follows the options. */
    public Builder arguments(String text) {
      arguments = text;
      return this;
    }

    public Builder flag(char letter, String meaning) {
      options.add(new Option(letter, Optional.empty(), meaning));
      return this;
    }

    /** An option with an argument called {@code argument}. */
    public Builder option(char letter, String argument, String meaning) {
      options.add(new Option(letter, Optional.of(argument), meaning));
      return this;
    }

    public Builder accepts(String type) {
      accepts = Optional.of(type);
      return this;
    }

    public Builder yields(String type) {
      yields = Optional.of(type);
      return this;
    }

    /** The command is run once for all that comes through the pipe. */
    public Builder readsAll() {
      input = Input.ALL;
      return this;
    }

    /** How the line behind the name is read; where that is C, no options are looked for. */
    public Builder reading(Reading how) {
      reading = how;
      return this;
    }

    /** Ends the description. */
    public CommandSpec help(String markdown) {
      return new CommandSpec(
          grammar, name, aliases, address, arguments, options, summary, accepts, yields, input,
          reading, markdown);
    }
  }
}
