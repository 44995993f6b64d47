// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.base.FaultException;
import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Invocation;
import dev.fathom.command.source.FunctionName;
import dev.fathom.command.source.Lines;
import dev.fathom.session.control.Breakpoint.At;
import dev.fathom.session.control.Breakpoint.Function;
import dev.fathom.session.control.Breakpoint.Line;
import dev.fathom.session.control.Breakpoint.Named;
import dev.fathom.session.control.Breakpoint.Place;
import dev.fathom.target.Breakpoints.Kind;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Places in code as users name them: a symbol and a distance, a line, or an address. */
final class Places {
  /** Of C++: {@code ns::f}, {@code Class::~Class}, {@code max<int>}, {@code over(double)}. */
  private static final Pattern SCOPED =
      Pattern.compile("[A-Za-z_][A-Za-z0-9_]*(?:::|<[^<]|\\([a-z]).*");

  private static final Pattern NAMED =
      Pattern.compile("\\*?([A-Za-z_.][A-Za-z0-9_.`$-]*)(?:\\+(0x[0-9a-fA-F]+|[0-9]+))?");

  private Places() {}

  /** The place at an address that an expression gave. */
  static Place at(Invocation call, long address) {
    return new At(address, call.program().symbols().text(address));
  }

  /**
   * As {@link #of}, and what gdb means besides: a number is a line of the current file, and a
   * function's name where its variables are in place.
   */
  static Place gdb(Invocation call, String text) {
    if (text.matches("[0-9]{1,9}")) {
      return line(call, Lines.currentFile(call), Integer.parseInt(text), false);
    }
    return switch (of(call, text, false)) {
      case Function f -> new Function(f.file(), f.name(), true, text);
      case Place other -> other;
    };
  }

  private static Place line(Invocation call, String file, int line, boolean waits) {
    var found = call.session().sources().places(file, line);
    if (found.isEmpty() && !waits) {
      throw new LookupException("code of line", file + ":" + line);
    }
    // A line without code stands for the next one that has some.
    int actual = found.isEmpty() ? line : found.getFirst().line().line();
    return new Line(file, actual, file + ":" + actual);
  }

  /**
   * The place that {@code text} names: {@code vfs_read}, {@code vfs_read+0x10}, {@code
   * loop`lo_ioctl}, {@code ns::Class::method}, {@code d1.c:helper}, {@code fs/read_write.c:450},
   * {@code *0xffff…}.
   *
   * @param waits whether a name that nothing answers to yet is taken, in the hope of a module; one
   *     that names a module that is not loaded always is
   */
  static Place of(Invocation call, String text, boolean waits) {
    if (Lines.isFileLine(text) && !text.startsWith("*")) {
      int colon = text.lastIndexOf(':');
      return line(
          call, text.substring(0, colon), Integer.parseInt(text.substring(colon + 1)), waits);
    }
    var function = FunctionName.of(text);
    if (function.isOfFile() || SCOPED.matcher(function.name()).matches()) {
      return found(call, function, text, waits)
          .or(() -> found(call, function.bySymbol(call), text, waits))
          .orElseThrow(() -> new LookupException("function", text, List.of()));
    }
    var named = NAMED.matcher(text);
    if (!named.matches()) {
      return at(call, number(call, text.startsWith("*") ? text.substring(1) : text));
    }
    var name = named.group(1);
    if (named.group(2) == null && !text.startsWith("*")) {
      var found = found(call, function, text, waits || namesAbsentModule(call, name));
      if (found.isPresent()) {
        return found.get();
      }
    }
    long offset = named.group(2) == null ? 0 : Long.decode(named.group(2));
    if (call.program().symbols().first(name).isPresent()
        || waits
        || namesAbsentModule(call, name)) {
      return new Named(name, offset, text);
    }
    throw new LookupException(
        "symbol",
        name,
        call.program()
            .symbols()
            .completions(name.substring(0, Math.max(1, name.length() * 2 / 3)), 3));
  }

  private static Optional<Place> found(
      Invocation call, FunctionName name, String text, boolean waits) {
    var place = new Function(name.file(), name.name(), false, text);
    return waits || !call.session().control().addresses(place).isEmpty()
        ? Optional.of(place)
        : Optional.empty();
  }

  /**
   * Looks whether there is code at an address.
   *
   * @throws EvalException for a breakpoint in the code where there is no memory now, neither of the
   *     kernel nor of the selected thread; of one in a debug register the user is told
   */
  static void checkMapped(Invocation call, Place place, Kind kind) {
    if (place instanceof Line) {
      return; // Debug information led there.
    }
    for (long address : call.session().control().addresses(place)) {
      var why = unreadable(call, address);
      if (why.isPresent() && kind == Kind.SOFTWARE) {
        throw new EvalException("no breakpoint can be set there: " + why.get());
      }
      why.ifPresent(reason -> call.warn(reason + ": nothing comes there until that has changed"));
    }
  }

  /** Warns of memory at which a watchpoint notices nothing, as far as is known. */
  static void checkWatched(Invocation call, long address, int size) {
    if ((address & (size - 1)) != 0) {
      call.warn(
          "CPUs watch "
              + size
              + " bytes at a multiple of "
              + size
              + ", which 0x"
              + Long.toHexString(address)
              + " is not: only an emulator may notice these");
    }
    unreadable(call, address)
        .ifPresent(why -> call.warn(why + ": nothing is noticed there until that has changed"));
  }

  /** Why there is no memory at an address; empty where there is some. */
  private static Optional<String> unreadable(Invocation call, long address) {
    try {
      call.program().memory().bytes(address, 1);
      return Optional.empty();
    } catch (FaultException e) {
      return ofSelectedThread(call, address) ? Optional.empty() : Optional.of(e.getMessage());
    }
  }

  private static boolean ofSelectedThread(Invocation call, long address) {
    try {
      var task = call.environment().currentTask(call.kernel());
      var user = task.flatMap(call.kernel()::userSpace);
      return user.isPresent() && user.get().bytes(address, 1).length == 1;
    } catch (FathomException _) {
      return false; // Nor is it there.
    }
  }

  private static boolean namesAbsentModule(Invocation call, String name) {
    int tick = name.indexOf('`');
    if (tick < 0) {
      return false;
    }
    var module = name.substring(0, tick);
    return call.kernel().images().stream().noneMatch(image -> image.name().equals(module));
  }

  private static long number(Invocation call, String text) {
    try {
      return call.evaluate(text);
    } catch (EvalException e) {
      throw new UsageException("'" + text + "' is not a place in code: " + e.getMessage());
    }
  }
}
