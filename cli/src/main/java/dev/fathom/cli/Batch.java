// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.base.Sink;
import dev.fathom.command.CommandService;
import java.io.BufferedReader;
import java.io.IOException;
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

  /** Runs the lines of standard input; true when all worked. */
  boolean runInput() throws IOException {
    boolean good = true;
    var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    var line = input.readLine();
    while (line != null && !service.environment().quitting()) {
      if (!line.isBlank()) {
        good &= run(line);
      }
      line = input.readLine();
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
