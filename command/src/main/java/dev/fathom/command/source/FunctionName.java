// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.source;

import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.command.CExpression;
import dev.fathom.command.Invocation;
import dev.fathom.model.Value;
import dev.fathom.model.source.SourceInfo.FunctionCode;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A function as a user names it: {@code vfs_read}, {@code d1.c:helper}, {@code ns::f}, {@code
 * 'over(double)'}.
 *
 * @param file the source file that it is in, or the end of its path; empty for any
 * @param name as {@link dev.fathom.session.NamedCode} takes it
 */
public record FunctionName(String file, String name) {
  /** {@code d1.c:helper}, {@code fs/read_write.c:vfs_read}. */
  private static final Pattern OF_FILE =
      Pattern.compile("([^:()<>`*' ]*(?:/|\\.[A-Za-z])[^:()<>`*' ]*):([A-Za-z_~'][^:]*(?:::.*)?)");

  /** The name without the single quotes that gdb's users put around names of C++. */
  public static FunctionName of(String text) {
    var ofFile = OF_FILE.matcher(text);
    return ofFile.matches()
        ? new FunctionName(ofFile.group(1), unquoted(ofFile.group(2)))
        : new FunctionName("", unquoted(text));
  }

  private static String unquoted(String text) {
    return text.length() > 2 && text.startsWith("'") && text.endsWith("'")
        ? text.substring(1, text.length() - 1)
        : text;
  }

  public boolean isOfFile() {
    return !file.isEmpty();
  }

  /** The places of the code; none where nothing has the name. */
  public List<FunctionCode> places(Invocation call) {
    return call.session().functions().find(file, name);
  }

  /** The function by its symbol, where its parameters are written in other words; else itself. */
  public FunctionName bySymbol(Invocation call) {
    try {
      return name.indexOf('(') > 0
              && CExpression.evaluate(call, "'" + name + "'") instanceof Value.Ref code
          ? call.program()
              .symbols()
              .at(code.address())
              .map(at -> new FunctionName(file, at.symbol().name()))
              .orElse(this)
          : this;
    } catch (EvalException | LookupException _) {
      return this; // Which is not found either, as is told.
    }
  }

  /**
   * The places of the function that {@code text} names.
   *
   * @throws LookupException when there is none
   */
  public static List<FunctionCode> places(Invocation call, String text) {
    var name = of(text);
    var found = name.places(call);
    if (found.isEmpty()) {
      found = name.bySymbol(call).places(call);
    }
    if (found.isEmpty()) {
      throw new LookupException("function", text);
    }
    return found;
  }
}
