// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.source;

import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Frames;
import dev.fathom.command.Invocation;
import dev.fathom.model.source.SourceFrame;
import dev.fathom.model.source.SourceInfo;
import dev.fathom.model.source.SourceLine;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Places in the source as a user types them. */
public final class Lines {
  private static final Pattern FILE_LINE = Pattern.compile("(.+):(\\d{1,9})");

  private Lines() {}

  /** Whether {@code text} has the form of a file and a line. */
  public static boolean isFileLine(String text) {
    return FILE_LINE.matcher(text).matches();
  }

  /**
   * Where the code of {@code FILE:LINE} begins.
   *
   * @throws LookupException when there is no such code
   */
  public static List<SourceInfo.Place> places(Invocation call, String text) {
    var match = FILE_LINE.matcher(text);
    if (!match.matches()) {
      throw new UsageException("'" + text + "' is not FILE:LINE");
    }
    var found = call.session().sources().places(match.group(1), Integer.parseInt(match.group(2)));
    if (found.isEmpty()) {
      throw new LookupException("code of line", text);
    }
    return found;
  }

  /**
   * The line that {@code text} names: {@code FILE:LINE}, a line of the selected frame's file, a
   * function, {@code *ADDRESS}.
   */
  static SourceLine of(Invocation call, String text) {
    var match = FILE_LINE.matcher(text);
    if (match.matches()) {
      var found = call.session().sources().places(match.group(1), Integer.parseInt(match.group(2)));
      var path = found.isEmpty() ? match.group(1) : found.getFirst().line().path();
      return new SourceLine(path, Integer.parseInt(match.group(2)), 0);
    }
    if (text.matches("\\d{1,9}")) {
      return new SourceLine(selected(call).path(), Integer.parseInt(text), 0);
    }
    return all(call, text).getFirst();
  }

  /** As {@link #of}, of several functions of one name the line of each. */
  static List<SourceLine> all(Invocation call, String text) {
    if (FILE_LINE.matcher(text).matches() || text.matches("\\d{1,9}")) {
      return List.of(of(call, text));
    }
    var sources = call.session().sources();
    var lines =
        text.startsWith("*")
            ? sources.line(call.evaluate(text.substring(1))).stream()
            : FunctionName.places(call, text).stream()
                .flatMap(code -> code.declared().or(() -> sources.line(code.address())).stream());
    var found = lines.map(line -> new SourceLine(line.path(), line.line(), 0)).distinct().toList();
    if (found.isEmpty()) {
      throw new EvalException("no debug information tells the line of " + text);
    }
    return found;
  }

  /** The file that the selected frame is in. */
  public static String currentFile(Invocation call) {
    return selected(call).path();
  }

  /** The line of the selected frame. */
  static SourceLine selected(Invocation call) {
    return line(Frames.selected(call))
        .orElseThrow(
            () -> new EvalException("no debug information tells the line of the selected frame"));
  }

  private static Optional<SourceLine> line(SourceFrame frame) {
    return frame.activation().flatMap(a -> a.line());
  }
}
