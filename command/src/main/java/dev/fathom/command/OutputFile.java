// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.TargetException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.base.UsageException;
import dev.fathom.session.Session;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** Files that commands write. */
public final class OutputFile {
  private OutputFile() {}

  /**
   * The file {@code name}, when it may be written.
   *
   * @throws UnsupportedException when files may not be written, and for a file of the open dump
   * @throws UsageException when no file can have that name
   */
  public static Path named(String name, Session session, Settings settings) {
    if (!settings.shellAllowed()) {
      throw new UnsupportedException("writing files is switched off");
    }
    try {
      var path = Path.of(name);
      for (var open : session.target().files()) {
        if (Files.exists(path) && Files.isSameFile(path, open)) {
          throw new UnsupportedException(name + " is open here, and is not written");
        }
      }
      return path;
    } catch (InvalidPathException e) {
      throw new UsageException("not the name of a file: " + e.getMessage());
    } catch (IOException e) {
      throw new TargetException("cannot write " + name + ": " + e.getMessage(), e);
    }
  }
}
