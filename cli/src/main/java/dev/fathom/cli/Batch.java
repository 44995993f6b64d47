// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.base.Sink;
import dev.fathom.command.CommandService;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Runs command lines one after the other, without a terminal. */
record Batch(CommandService service, Sink sink, Console console, Warnings warnings) {
  /** Runs the lines until one asks to quit; true when all worked. */
  boolean run(List<String> lines) throws IOException {
    boolean good = true;
    for (var line : lines) {
      good &= run(line);
      if (service.environment().quitting()) {
        break;
      }
    }
    return good;
  }

  /** Runs the lines that come, until one asks to quit; true when all worked. */
  boolean run(InputStream from) throws IOException {
    boolean good = true;
    var input = new BufferedReader(new InputStreamReader(from, StandardCharsets.UTF_8));
    while (!service.environment().quitting()) {
      var line = input.readLine();
      if (line == null) {
        break;
      }
      if (!line.isBlank()) {
        good &= run(line);
      }
    }
    return good;
  }

  private boolean run(String line) throws IOException {
    try (var _ = console.progress().watch(line)) {
      return service.run(line, sink).ok();
    } finally {
      console.flush();
      warnings.show();
    }
  }
}
