// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.file;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.FathomException;
import dev.fathom.base.MappedFile;
import dev.fathom.format.osvt.OsvTraceFile;
import dev.fathom.trace.Trace;
import dev.fathom.trace.recording.Recording;
import java.nio.file.Path;

/** Opens traces by what their files begin with. */
public final class TraceFile {
  private TraceFile() {}

  /** Whether the file begins as a trace does. */
  public static boolean recognise(ByteSource source) {
    return Recording.recognise(source) || OsvTraceFile.recognise(source);
  }

  /**
   * Opens a file, which stays mapped until the trace is closed.
   *
   * @throws dev.fathom.base.TargetException when it cannot be read
   * @throws BadDataException when it is no trace or a damaged one
   */
  public static Trace open(Path path) {
    var file = MappedFile.open(path);
    try {
      return open(file, file::close);
    } catch (FathomException e) {
      file.close();
      throw e;
    }
  }

  /** Opens a trace in memory. */
  public static Trace open(ByteSource source) {
    return open(source, () -> {});
  }

  private static Trace open(ByteSource source, Runnable close) {
    if (Recording.recognise(source)) {
      return new Recording(source, close);
    }
    if (OsvTraceFile.recognise(source)) {
      return new OsvTrace(source, close);
    }
    throw new BadDataException(
        source.name(), 0, "no trace: expected a trace file or dump of OSv, or Fathom's recording");
  }
}
