// SPDX-License-Identifier: Apache-2.0
package dev.fathom.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/**
 * One run of a whole process, measured by {@code /usr/bin/time}.
 *
 * @param seconds elapsed time
 * @param processor processor time, its own and the system's for it, in seconds
 * @param mebibytes largest resident set
 * @param status exit status; 124 when it was ended for taking too long
 * @param output what it wrote, standard error included
 */
record Timed(double seconds, double processor, double mebibytes, int status, List<String> output) {
  private static final long LIMIT_SECONDS = 300;
  private static final int STATUS_TOO_LONG = 124;

  /** Runs a command with an empty standard input and these additions to the environment. */
  static Timed run(List<String> command, Map<String, String> environment)
      throws IOException, InterruptedException {
    Path measured = Files.createTempFile("fathom-time", ".txt");
    Path output = Files.createTempFile("fathom-out", ".txt");
    try {
      List<String> timed = new ArrayList<>(List.of("/usr/bin/time", "-o", measured.toString()));
      timed.addAll(List.of("-f", "%e %U %S %M"));
      timed.addAll(command);
      ProcessBuilder builder = new ProcessBuilder(timed);
      builder.environment().putAll(environment);
      builder.redirectErrorStream(true).redirectOutput(output.toFile());
      builder.redirectInput(Path.of("/dev/null").toFile());
      Process process = builder.start();
      int status;
      if (process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
        status = process.exitValue();
      } else {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.waitFor();
        status = STATUS_TOO_LONG;
      }
      // Only the last line: before it, time says when the command failed.
      List<String> times = Files.readAllLines(measured);
      String[] numbers = times.getLast().split(" ");
      String text = new String(Files.readAllBytes(output), StandardCharsets.UTF_8);
      return new Timed(
          Double.parseDouble(numbers[0]),
          Double.parseDouble(numbers[1]) + Double.parseDouble(numbers[2]),
          Double.parseDouble(numbers[3]) / 1024,
          status,
          text.lines().toList());
    } finally {
      Files.delete(measured);
      Files.delete(output);
    }
  }

  /** A run that has the median of the times and of the sizes of these; its output is nobody's. */
  static Timed median(List<Timed> runs) {
    return new Timed(
        median(runs, Timed::seconds),
        median(runs, Timed::processor),
        median(runs, Timed::mebibytes),
        0,
        List.of());
  }

  private static double median(List<Timed> runs, ToDoubleFunction<Timed> value) {
    double[] sorted = runs.stream().mapToDouble(value).sorted().toArray();
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
