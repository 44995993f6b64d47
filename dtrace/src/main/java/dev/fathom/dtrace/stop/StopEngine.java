// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.dtrace.ir.Builtin;
import dev.fathom.dtrace.ir.Stmt;
import dev.fathom.dtrace.ir.Subroutine;
import dev.fathom.dtrace.probe.Engine;
import dev.fathom.dtrace.probe.Plan;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.Provider;
import dev.fathom.dtrace.record.RecordSink;
import dev.fathom.dtrace.replay.Recorder;
import dev.fathom.dtrace.run.Interpreter;
import dev.fathom.kernel.Kernel;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.session.Session;
import dev.fathom.target.Live;
import dev.fathom.target.ProcessView;
import dev.fathom.target.RegisterWriter;
import dev.fathom.target.SignalControl;
import dev.fathom.target.SignalNames;
import dev.fathom.target.SystemCalls;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Traces what a session is attached to by stopping it at probes. A clause sees the target as it
 * stood when it came there; all of its CPUs stand still meanwhile.
 */
public final class StopEngine implements Engine {
  private final Session session;
  private final Optional<Recorder> recorder;
  private final Places places = new Places();
  private final List<Provider> providers;
  private final Functions functions;
  private final Sampler sampler;
  private final List<String> notices = new ArrayList<>();
  private final Optional<Tracepoints> tracepoints;
  private Optional<Interpreter> interpreter = Optional.empty();
  private Optional<PlacedProbes> placed = Optional.empty();
  private Optional<Libraries> libraries = Optional.empty();
  private Optional<CallNumbers> numbers = Optional.empty();
  private boolean controls;
  private long started;
  private boolean toldEnd;
  private boolean toldNote;

  /**
   * An engine over what {@code session} is attached to; a dump has its probes too, for lists.
   *
   * @param recorder keeps all that fires
   */
  public StopEngine(Session session, Optional<Recorder> recorder) {
    this.session = session;
    this.recorder = recorder;
    this.sampler = new Sampler(session);
    var kernel = session.kernel();
    if (isProcess(kernel)) {
      var program = kernel.images().isEmpty() ? "a.out" : kernel.images().getFirst().name();
      long pid = kernel.initialTask().map(t -> t.process().orElse(0)).orElse(0L);
      functions = new Functions(kernel.program(), program);
      var all = new ArrayList<Provider>();
      all.add(new ProcessProvider(functions, places, pid, program));
      if (session.target().find(SystemCalls.class).isPresent()) {
        var names = CallNames.of(kernel.program().architecture().name());
        all.add(new ProcessCallProvider(places, names));
      }
      all.add(new TimerProvider(places));
      all.addAll(compiledIn());
      providers = List.copyOf(all);
      tracepoints = Optional.empty();
    } else {
      functions = new Functions(kernel.program(), Functions.KERNEL);
      var points = new Tracepoints(kernel.program());
      tracepoints = Optional.of(points);
      providers =
          List.of(
              new FunctionProvider(functions, places),
              new SystemCallProvider(functions, places, this::callNumbers),
              TaskProvider.proc(functions, points, places),
              TaskProvider.sched(functions, points, places),
              new BlockProvider(functions, points, places),
              new TracepointProvider(points, places),
              new TimerProvider(places),
              new InstructionProvider(functions, places));
    }
  }

  static boolean isProcess(Kernel kernel) {
    return kernel.isProcess();
  }

  @Override
  public String name() {
    return "stop";
  }

  @Override
  public List<Provider> providers() {
    return providers;
  }

  @Override
  public Set<Builtin> builtins() {
    var all = EnumSet.allOf(Builtin.class);
    if (isProcess(session.kernel())) {
      all.removeAll(EnumSet.of(Builtin.VTIMESTAMP, Builtin.UID, Builtin.GID, Builtin.CURTHREAD));
    }
    return all;
  }

  @Override
  public Set<Subroutine> subroutines() {
    return isProcess(session.kernel())
        ? EnumSet.complementOf(
            EnumSet.of(
                Subroutine.ARGUMENTS,
                Subroutine.D_PATH,
                Subroutine.GETF,
                Subroutine.PAGE_OFFSET,
                Subroutine.PAGE_TEXT))
        : EnumSet.allOf(Subroutine.class);
  }

  @Override
  public Set<Stmt.Destruction> destructions() {
    var all = EnumSet.noneOf(Stmt.Destruction.class);
    if (session.target().find(RegisterWriter.class).isPresent()) {
      all.addAll(EnumSet.of(Stmt.Destruction.CHILL, Stmt.Destruction.RETURN));
      if (!isProcess(session.kernel())) {
        all.addAll(EnumSet.of(Stmt.Destruction.BREAKPOINT, Stmt.Destruction.PANIC));
      }
    }
    // The signals of a kernel that is a process are its own affair.
    if (session.target().find(SignalControl.class).isPresent() && isProcess(session.kernel())) {
      all.addAll(EnumSet.of(Stmt.Destruction.RAISE, Stmt.Destruction.STOP));
    }
    return all;
  }

  @Override
  public int cpus() {
    return Math.max(1, session.target().cpus().size());
  }

  /** The nanoseconds for which the target stood still because of tracing. */
  public long still() {
    return sampler.still() + placed.map(PlacedProbes::still).orElse(0L);
  }

  /** The nanoseconds since tracing began. */
  public long elapsed() {
    return System.nanoTime() - started;
  }

  @Override
  public List<String> start(Plan plan, RecordSink sink) {
    session.begin();
    try {
      var order = session.kernel().program().architecture().layout().order();
      var ready = new Interpreter(plan, sink, order, System.nanoTime());
      interpreter = Optional.of(ready);
      started = System.nanoTime();
      sampler.start(started);
      var probes =
          new PlacedProbes(
              session,
              recorder,
              functions,
              this::callNumbers,
              ready,
              StopBudget.of(plan.options(), started));
      placed = Optional.of(probes);
      ready.begin(new HostContext(session::kernel));
      var failed = new ArrayList<String>();
      plan.probes().forEach(probe -> enable(probe, ready, failed));
      controls = !probes.isEmpty() || isProcess(session.kernel());
      if (controls) {
        probes.start();
        watchLibraries(plan, ready, probes);
      }
      return failed;
    } finally {
      session.end();
    }
  }

  private void enable(Probe probe, Interpreter ready, List<String> failed) {
    if (probe.id() <= Probe.ERROR) {
      return;
    }
    var site = ready.site(probe);
    var place = places.of(probe);
    switch (place) {
      case Place.Timer timer -> sampler.add(timer, site);
      case Place.CallEntry _, Place.CallReturn _, Place.Code _ ->
          placed.get().add(probe, place, site).ifPresent(failed::add);
    }
  }

  /** Probes of libraries that come later are enabled as they come. */
  private void watchLibraries(Plan plan, Interpreter ready, PlacedProbes probes) {
    var view = session.target().find(ProcessView.class);
    if (!isProcess(session.kernel()) || view.isEmpty()) {
      return;
    }
    var process = providers.getFirst();
    var watched =
        new Libraries(
            session,
            plan,
            ready,
            probes,
            places,
            () -> {
              functions.forget();
              var now = new ArrayList<Provider>(List.of(process));
              now.addAll(compiledIn());
              return now;
            });
    if (watched.start(view.get())) {
      libraries = Optional.of(watched);
    }
  }

  /** The providers of what the process's program and libraries were compiled with. */
  private List<Provider> compiledIn() {
    var view = session.target().find(ProcessView.class);
    return session.kernel().program().architecture() == X86_64.INSTANCE && view.isPresent()
        ? UsdtProvider.of(view.get(), functions, places)
        : List.of();
  }

  private CallNumbers callNumbers() {
    if (numbers.isEmpty()) {
      numbers = Optional.of(new CallNumbers(session.kernel()));
    }
    return numbers.get();
  }

  private boolean stopsToLook() {
    return session.target().find(Live.class).filter(Live::stopsToLook).isPresent();
  }

  @Override
  public boolean work(long nanos) {
    if (interpreter.get().exited() || isIn(Live.State.GONE)) {
      return false;
    }
    if (!controls && sampler.isDirect() && isIn(Live.State.RUNNING) && stopsToLook()) {
      session.beginWithoutLook();
    } else {
      session.begin();
    }
    try {
      if (!controls) {
        return sampler.sample(nanos, interpreter.get()::exited);
      }
      libraries.ifPresent(Libraries::settle);
      boolean more = placed.get().run(nanos, sampler);
      if (more) {
        libraries = libraries.filter(_ -> placed.get().watchesLibraries());
        libraries.ifPresent(watched -> notices.addAll(watched.update()));
      }
      return more;
    } finally {
      session.end();
    }
  }

  @Override
  public void stop() {
    if (isIn(Live.State.GONE)) {
      end(); // What is gone need not be looked at.
      return;
    }
    session.begin();
    try {
      end();
    } finally {
      session.end();
    }
  }

  private void end() {
    removeAll();
    interpreter.ifPresent(i -> i.end(new HostContext(session::kernel)));
  }

  private boolean isIn(Live.State state) {
    var live = session.target().find(Live.class);
    return live.isPresent() && live.get().state() == state;
  }

  private void removeAll() {
    placed.ifPresent(PlacedProbes::remove);
    sampler.clear();
    libraries = Optional.empty();
  }

  /** How the traced process ended and what else should be known of it. */
  @Override
  public List<String> notices() {
    var told = new ArrayList<>(notices);
    notices.clear();
    var note = tracepoints.flatMap(Tracepoints::note);
    if (note.isPresent() && !toldNote) {
      toldNote = true;
      told.add(note.get());
    }
    placed.ifPresent(probes -> told.addAll(probes.notices()));
    var process = session.target().find(ProcessView.class);
    var ending = process.flatMap(ProcessView::ending);
    if (ending.isPresent() && !toldEnd) {
      toldEnd = true;
      told.add("pid " + process.get().process() + ' ' + text(ending.get()));
    }
    return told;
  }

  /** As dtrace says it. */
  private static String text(ProcessView.Ending ending) {
    if (ending.signal().isPresent()) {
      return "terminated by " + SignalNames.of(ending.signal().getAsInt());
    }
    return ending.status() == 0 ? "has exited" : "exited with status " + ending.status();
  }

  @Override
  public void interrupt() {
    session.interrupt();
  }

  @Override
  public void close() {
    removeAll();
  }

  /** What the user should know of the cost. */
  public Optional<String> cost() {
    long hits = placed.map(PlacedProbes::hits).orElse(0L);
    long samples = sampler.samples();
    if (hits == 0 && samples == 0) {
      return Optional.empty();
    }
    var text = new StringBuilder();
    double seconds = elapsed() / 1e9;
    if (hits > 0) {
      text.append(hits).append(hits == 1 ? " stop" : " stops");
    }
    if (samples > 0) {
      text.append(text.isEmpty() ? "" : ", ").append(samples).append(" samples");
    }
    if (sampler.skipped() > 0) {
      text.append(" (").append(sampler.skipped()).append(" left out)");
    }
    text.append(
        String.format(
            java.util.Locale.ROOT,
            " in %.1f s; the target stood still for %.1f %% of it",
            seconds,
            100.0 * still() / Math.max(1, elapsed())));
    return Optional.of(text.toString());
  }
}
