// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.export;

import java.io.FilterWriter;
import java.io.IOException;
import java.io.Writer;

/** Passes all on but the end: the writer belongs to the caller. */
final class KeepOpen extends FilterWriter {
  KeepOpen(Writer to) {
    super(to);
  }

  @Override
  public void close() throws IOException {
    flush();
  }
}
