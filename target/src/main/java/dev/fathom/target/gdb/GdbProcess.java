// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import dev.fathom.base.BadDataException;
import dev.fathom.target.ProcessView;
import dev.fathom.target.local.ProcFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * A process behind a stub that serves files, as gdbserver does: what its machine's {@code /proc}
 * says of it. Can be asked while it stands still.
 */
final class GdbProcess implements ProcessView {
  /** Larger than the maps of any process that is debugged so. */
  private static final int LIMIT = 16 << 20;

  private final Stub stub;
  private final long pid;
  private final Supplier<List<ThreadId>> threads;

  private GdbProcess(Stub stub, long pid, Supplier<List<ThreadId>> threads) {
    this.stub = stub;
    this.pid = pid;
    this.threads = threads;
  }

  /**
   * The process of a stub; empty where the stub serves no files, or its machine is no Linux.
   *
   * @param thread one of its threads
   * @param threads all of them, asked each time
   */
  static Optional<GdbProcess> of(Stub stub, ThreadId thread, Supplier<List<ThreadId>> threads) {
    long pid = thread.process() > 0 ? thread.process() : thread.thread();
    if (pid <= 0) {
      return Optional.empty();
    }
    var process = new GdbProcess(stub, pid, threads);
    try {
      return process.text("maps").filter(maps -> !maps.isEmpty()).map(_ -> process);
    } catch (BadDataException _) {
      return Optional.empty(); // It answers requests for files by something else.
    }
  }

  private Optional<byte[]> bytes(String file) {
    return stub.file("/proc/" + pid + "/" + file, LIMIT);
  }

  private Optional<String> text(String file) {
    return bytes(file).map(all -> new String(all, StandardCharsets.UTF_8));
  }

  @Override
  public long process() {
    return pid;
  }

  @Override
  public OptionalLong parent() {
    return text("stat")
        .map(ProcFiles::stat)
        .map(ProcFiles.Stat::parent)
        .orElse(OptionalLong.empty());
  }

  @Override
  public String name() {
    return text("comm").map(String::strip).orElse("");
  }

  @Override
  public Optional<String> program() {
    return stub.transfer("exec-file", Long.toHexString(pid))
        .map(all -> new String(all, StandardCharsets.UTF_8))
        .filter(path -> !path.isEmpty());
  }

  @Override
  public List<String> arguments() {
    return text("cmdline").map(ProcFiles::words).orElse(List.of());
  }

  @Override
  public List<Mapped> mappings() {
    return text("maps")
        .map(maps -> ProcFiles.maps(stub.name() + " /proc/" + pid + "/maps", maps))
        .orElse(List.of());
  }

  @Override
  public List<ThreadState> threads() {
    var found = new ArrayList<ThreadState>();
    for (var thread : threads.get()) {
      var stat = text("task/" + thread.thread() + "/stat").map(ProcFiles::stat);
      found.add(
          new ThreadState(
              thread.thread(),
              stat.map(ProcFiles.Stat::name).orElse(""),
              stat.map(ProcFiles.Stat::state).orElse('?'),
              stat.map(ProcFiles.Stat::cpu).orElse(java.util.OptionalInt.empty()),
              Optional.empty()));
    }
    return List.copyOf(found);
  }

  @Override
  public Optional<byte[]> signalInfo(int thread) {
    return threads.get().stream()
        .filter(one -> one.thread() == thread)
        .findFirst()
        .flatMap(one -> stub.transferOf(one, "siginfo"));
  }

  @Override
  public Map<Long, Long> auxiliary() {
    return bytes("auxv").map(ProcFiles::auxiliary).orElse(Map.of());
  }

  /** The file of that path here, which counts only if it is of the same build. */
  @Override
  public Optional<Path> file(Mapped mapping) {
    if (!mapping.isFile()) {
      return Optional.empty();
    }
    Path path = Path.of(mapping.name());
    return Files.isRegularFile(path) && Files.isReadable(path)
        ? Optional.of(path)
        : Optional.empty();
  }
}
