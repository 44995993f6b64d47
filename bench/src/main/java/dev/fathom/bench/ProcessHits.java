// SPDX-License-Identifier: Apache-2.0
package dev.fathom.bench;

import dev.fathom.base.Readability;
import dev.fathom.kernel.Kernel;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Layout;
import dev.fathom.model.Program;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.session.Session;
import dev.fathom.session.control.Breakpoint;
import dev.fathom.session.control.StopEvent;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.Breakpoints;
import dev.fathom.target.LiveTargetProvider;
import dev.fathom.target.Target;
import dev.fathom.target.VirtualMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.ServiceLoader;
import java.util.concurrent.TimeUnit;

/**
 * Breakpoint hits handled per second on a process behind gdbserver, beside gdb: the same function,
 * both counting, each with a gdbserver of its own, in turn. Of gdb, what it takes to start and come
 * to the first hit is measured apart and taken off; the engine is measured from its first hit on.
 */
public final class ProcessHits {
  private static final String PROGRAM =
      """
      volatile long count;
      __attribute__((noinline)) void fathom_hit(void) { count++; }
      int main(void) { for (;;) fathom_hit(); }
      """;

  private final Path folder;
  private final Path program;
  private final long function;
  private final int hits;

  private ProcessHits(Path folder, Path program, long function, int hits) {
    this.folder = folder;
    this.program = program;
    this.function = function;
    this.hits = hits;
  }

  /**
   * @param args how many hits, how many rounds
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("fathom-hits");
    try {
      Path source = Files.writeString(folder.resolve("hit.c"), PROGRAM);
      Path program = folder.resolve("hit");
      words("gcc", "-O0", "-no-pie", "-o", program.toString(), source.toString());
      long function =
          words("nm", program.toString()).stream()
              .filter(line -> line.endsWith(" fathom_hit"))
              .map(line -> Long.parseUnsignedLong(line.split(" ")[0], 16))
              .findFirst()
              .orElseThrow();
      var bench = new ProcessHits(folder, program, function, Integer.parseInt(args[0]));
      System.out.println("hits per second behind gdbserver, " + args[0] + " in each run");
      for (int round = 0; round < Integer.parseInt(args[1]); round++) {
        double gdb = bench.gdb();
        double own = bench.fathom();
        System.out.printf(Locale.ROOT, "gdb %.0f  fathom %.0f  ratio %.2f%n", gdb, own, own / gdb);
      }
    } finally {
      Trees.delete(folder);
    }
  }

  private static List<String> words(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    List<String> words = process.inputReader().lines().toList();
    if (process.waitFor() != 0) {
      throw new IOException(command[0] + ": " + words);
    }
    return words;
  }

  /** A gdbserver with the program, until this is closed. */
  private final class Server implements AutoCloseable {
    private final Process process;
    private final String port;
    private final long pid;

    Server() throws IOException {
      Path said = folder.resolve("gdbserver.log");
      Files.deleteIfExists(said);
      process =
          new ProcessBuilder("gdbserver", "127.0.0.1:0", program.toString())
              .redirectErrorStream(true)
              .redirectOutput(said.toFile())
              .start();
      pid = Long.parseLong(word(said, "pid = "));
      port = word(said, "Listening on port ");
    }

    private String word(Path said, String mark) throws IOException {
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

  private double gdb() throws IOException, InterruptedException {
    double one = gdb(1);
    return (hits - 1) / (gdb(hits) - one);
  }

  private double gdb(int count) throws IOException, InterruptedException {
    try (var server = new Server()) {
      var lines = new ArrayList<String>();
      lines.addAll(List.of("set pagination off", "set confirm off", "file " + program));
      lines.addAll(List.of("target remote 127.0.0.1:" + server.port, "set $n = 0"));
      lines.add("break *0x" + Long.toHexString(function));
      lines.addAll(List.of("commands", "silent", "set $n = $n + 1", "if $n < " + count));
      lines.addAll(List.of("continue", "end", "end", "continue"));
      lines.addAll(List.of("printf \"hits %d\\n\", $n", "delete", "kill"));
      Path script = Files.write(folder.resolve("hits.gdb"), lines);
      Timed timed = Timed.run(List.of("gdb", "-nx", "-batch", "-x", script.toString()), Map.of());
      if (timed.output().stream().noneMatch(line -> line.equals("hits " + count))) {
        throw new IOException("no " + count + " hits in: " + timed.output());
      }
      return timed.seconds();
    }
  }

  private double fathom() throws IOException {
    try (var server = new Server();
        Target target = attach("127.0.0.1:" + server.port);
        var session = Session.of(target, process(target))) {
      var control = session.control();
      var place = new Breakpoint.At(function, "fathom_hit");
      var breakpoint = control.add(place, Breakpoints.Kind.SOFTWARE, 1, Optional.empty());
      stops(control.proceed());
      breakpoint.ignore(hits - 1L);
      long start = System.nanoTime();
      stops(control.proceed());
      double seconds = (System.nanoTime() - start) / 1e9;
      if (breakpoint.hits() != hits + 1L) {
        throw new IOException(breakpoint.hits() + " hits");
      }
      return hits / seconds;
    }
  }

  private static void stops(StopEvent event) throws IOException {
    if (!(event.cause() instanceof StopEvent.AtBreakpoint)) {
      throw new IOException("stopped by " + event.cause());
    }
  }

  private static Target attach(String address) {
    for (var provider : ServiceLoader.load(LiveTargetProvider.class)) {
      if (provider.accepts(address)) {
        return provider.attach(address, AttachOptions.DEFAULT);
      }
    }
    throw new IllegalStateException(address);
  }

  /** So much of a kernel as the engine asks for: the process's memory, and no threads. */
  private static Kernel process(Target target) {
    var memory = new ProcessMemory(target.find(VirtualMemory.class).orElseThrow());
    Program program =
        answering(
            Program.class, Map.of("memory", memory, "architecture", X86_64.INSTANCE, "epoch", 0L));
    return answering(
        Kernel.class, Map.of("program", program, "running", Optional.empty(), "present", true));
  }

  /** One that gives these answers; to what else is asked it has none. */
  private static <T> T answering(Class<T> type, Map<String, Object> answers) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (_, method, _) -> {
              if (!answers.containsKey(method.getName()) && method.getReturnType() != void.class) {
                throw new UnsupportedOperationException(method.getName());
              }
              return answers.get(method.getName());
            }));
  }

  private record ProcessMemory(VirtualMemory memory) implements AddressSpace {
    @Override
    public String name() {
      return memory.name();
    }

    @Override
    public Layout layout() {
      return memory.layout();
    }

    @Override
    public int read(long address, MemorySegment into) {
      return memory.read(address, into);
    }

    @Override
    public Readability at(long address) {
      return memory.at(address);
    }

    @Override
    public OptionalLong physical(long virtual) {
      return OptionalLong.empty();
    }
  }
}
