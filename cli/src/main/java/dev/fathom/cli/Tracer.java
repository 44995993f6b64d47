// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.base.MappedFile;
import dev.fathom.base.UsageException;
import dev.fathom.dtrace.probe.AddressNames;
import dev.fathom.dtrace.probe.Engine;
import dev.fathom.dtrace.replay.Recorder;
import dev.fathom.dtrace.replay.ReplayEngine;
import dev.fathom.dtrace.stop.ClockEngine;
import dev.fathom.dtrace.stop.SessionNames;
import dev.fathom.dtrace.stop.StopEngine;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.model.Program;
import dev.fathom.session.Session;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.ProcessView;
import dev.fathom.trace.Trace;
import dev.fathom.trace.file.TraceFile;
import dev.fathom.trace.recording.RecordingWriter;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What is traced and the engine for it. */
sealed interface Tracer extends AutoCloseable {
  Engine engine();

  /** Kernel types and symbols. */
  Optional<Program> program();

  /** The process that is traced, where it is one. */
  default Optional<Long> process() {
    return Optional.empty();
  }

  AddressNames names();

  ByteOrder order();

  /** What the user should know of the target. */
  default List<String> warnings() {
    return List.of();
  }

  /** What tracing cost, for the user. */
  Optional<String> cost();

  @Override
  void close() throws IOException;

  /**
   * The tracer for a target.
   *
   * @param record a file to keep all that fires in; null for none
   * @param options how to look for what is in the target
   * @param look whether nothing will be enabled, so that a dump will do
   */
  static Tracer open(
      Optional<String> target, Path record, KernelOptions options, boolean look, Console console)
      throws IOException {
    if (target.isEmpty()) {
      return new Clock(new ClockEngine());
    }
    var file = Path.of(target.get());
    if (Files.isRegularFile(file)) {
      if (isTrace(file)) {
        var trace = TraceFile.open(file);
        return new Replay(trace, new ReplayEngine(trace));
      }
      if (!look) {
        throw new UsageException(
            file + ": a dump does not run; -l lists its probes, and traces are replayed");
      }
      var dump = Session.open(List.of(file), options);
      return new Attached(dump, new StopEngine(dump, Optional.empty()), Optional.empty());
    }
    boolean process = target.get().startsWith("pid:") || target.get().startsWith("run:");
    var how =
        new AttachOptions(
            process && !look, Optional.empty(), Optional.empty(), AttachOptions.DEFAULT.timeout());
    var session = Session.attach(target.get(), how, options);
    try {
      console.progress().clear();
      session.target().warnings().forEach(console::warn);
      if (record == null) {
        return new Attached(session, new StopEngine(session, Optional.empty()), Optional.empty());
      }
      var writer = new RecordingWriter(new BufferedOutputStream(Files.newOutputStream(record)));
      var recorder = new Recorder(writer, new SessionNames(session), true);
      return new Attached(
          session, new StopEngine(session, Optional.of(recorder)), Optional.of(writer));
    } catch (RuntimeException | Error | IOException e) {
      session.close();
      throw e;
    }
  }

  private static boolean isTrace(Path file) {
    try (var source = MappedFile.open(file)) {
      return TraceFile.recognise(source);
    }
  }

  /** No target. */
  record Clock(ClockEngine engine) implements Tracer {
    @Override
    public Optional<Program> program() {
      return Optional.empty();
    }

    @Override
    public AddressNames names() {
      return new AddressNames() {
        @Override
        public Optional<Name> kernel(long address) {
          return Optional.empty();
        }

        @Override
        public Optional<Name> user(long pid, long address) {
          return Optional.empty();
        }
      };
    }

    @Override
    public ByteOrder order() {
      return ByteOrder.nativeOrder();
    }

    @Override
    public Optional<String> cost() {
      return Optional.empty();
    }

    @Override
    public void close() {
      engine.close();
    }
  }

  /** A recorded trace. */
  record Replay(Trace trace, ReplayEngine engine) implements Tracer {
    @Override
    public Optional<Program> program() {
      return Optional.empty();
    }

    @Override
    public AddressNames names() {
      return engine.names();
    }

    @Override
    public ByteOrder order() {
      return ByteOrder.LITTLE_ENDIAN;
    }

    @Override
    public Optional<String> cost() {
      return engine.problem().map(problem -> "the trace ends early: " + problem);
    }

    @Override
    public void close() {
      trace.close();
    }
  }

  /** A live target, or a dump to list the probes of. */
  record Attached(Session session, StopEngine engine, Optional<RecordingWriter> recording)
      implements Tracer {
    @Override
    public Optional<Program> program() {
      return Optional.of(session.kernel().program());
    }

    @Override
    public Optional<Long> process() {
      return session.target().find(ProcessView.class).map(ProcessView::process);
    }

    @Override
    public AddressNames names() {
      return new SessionNames(session);
    }

    @Override
    public ByteOrder order() {
      return session.kernel().program().architecture().layout().order();
    }

    @Override
    public List<String> warnings() {
      return session.target().warnings();
    }

    @Override
    public Optional<String> cost() {
      return engine.cost();
    }

    @Override
    public void close() throws IOException {
      try {
        if (recording.isPresent()) {
          recording.get().close();
        }
      } finally {
        session.close();
      }
    }
  }
}
