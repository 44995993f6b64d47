// SPDX-License-Identifier: Apache-2.0
package dev.fathom.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The {@link HitRace} on a process behind gdbserver, a new one for each run. */
public final class ProcessHits {
  private static final String PROGRAM =
      """
      volatile long count;
      __attribute__((noinline)) void fathom_hit(void) { count++; }
      int main(void) { for (;;) fathom_hit(); }
      """;

  private ProcessHits() {}

  /**
   * @param args the program, how many hits, how many rounds
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("fathom-hits");
    try {
      Path source = Files.writeString(folder.resolve("hit.c"), PROGRAM);
      Path program = folder.resolve("hit");
      output("gcc", "-O0", "-no-pie", "-o", program.toString(), source.toString());
      long function =
          output("nm", program.toString()).stream()
              .filter(line -> line.endsWith(" fathom_hit"))
              .map(line -> Long.parseUnsignedLong(line.split(" ")[0], 16))
              .findFirst()
              .orElseThrow();
      System.out.println("hits per second behind gdbserver, " + args[1] + " in each run");
      HitRace.run(
          args[0],
          function,
          () -> Server.start(program, folder.resolve("gdbserver.log")),
          Integer.parseInt(args[1]),
          Integer.parseInt(args[2]));
    } finally {
      Trees.delete(folder);
    }
  }

  private static List<String> output(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    List<String> lines = process.inputReader().lines().toList();
    if (process.waitFor() != 0) {
      throw new IOException(command[0] + ": " + lines);
    }
    return lines;
  }

  /** A gdbserver with the program, until this is closed. */
  private record Server(Process process, long pid, String address) implements HitRace.Stage {
    static Server start(Path program, Path said) throws IOException {
      Files.deleteIfExists(said);
      Process process =
          new ProcessBuilder("gdbserver", "127.0.0.1:0", program.toString())
              .redirectErrorStream(true)
              .redirectOutput(said.toFile())
              .start();
      long pid = Long.parseLong(word(process, said, "pid = "));
      return new Server(process, pid, "127.0.0.1:" + word(process, said, "Listening on port "));
    }

    private static String word(Process process, Path said, String mark) throws IOException {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
      while (true) {
        String text = Files.exists(said) ? Files.readString(said) : "";
        int at = text.indexOf(mark);
        int end = text.indexOf('\n', Math.max(at, 0));
        if (at >= 0 && end > at) {
          return text.substring(at + mark.length(), end).strip();
        }
        if (!process.isAlive() || System.nanoTime() - deadline > 0) {
          throw new IOException("gdbserver: " + text);
        }
        Thread.onSpinWait();
      }
    }

    @Override
    public void close() {
      ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }
}
