// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session;

import dev.fathom.base.Cell;
import dev.fathom.base.FathomException;
import dev.fathom.base.TargetException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.base.UsageException;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.KernelProvider;
import dev.fathom.model.source.SourceInfo;
import dev.fathom.session.control.Control;
import dev.fathom.symbols.debugfile.DebugFileSettings;
import dev.fathom.symbols.debugfile.DebugFiles;
import dev.fathom.symbols.debugfile.DownloadProgress;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.Live;
import dev.fathom.target.LiveTargetProvider;
import dev.fathom.target.ProcessView;
import dev.fathom.target.RunControl;
import dev.fathom.target.Target;
import dev.fathom.target.TargetProvider;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A target, the kernel in it and what the user has selected. Confined to the thread that opened it;
 * only {@link #interrupt} may be called from another. A live target that was attached to is let go
 * when the session or the process ends, however it ends short of being killed.
 */
public final class Session implements AutoCloseable {
  /** How long what was read of a running guest serves the command line that comes next. */
  private static final long FRESH_NANOS = 200_000_000;

  private static final String GONE =
      "the kernel that was found is gone: the machine was reset or started another";

  private static final String REPLACED = "the process executes another program: ";

  private static final String LEFT_OVER =
      "the kernel found in memory is not what runs: it is left over from before a reset";

  private final Target target;
  private final Optional<Live> live;
  private final Optional<KernelOptions> options;
  private final Optional<LetGo> guard;
  private final AtomicBoolean interrupted = new AtomicBoolean();
  private Kernel kernel;
  private Optional<Control> control = Optional.empty();
  private final SessionDebugFiles debugFiles;
  private Optional<SessionSources> sources = Optional.empty();
  private boolean read;
  private boolean ran;
  private long epoch;
  private long foundAt;

  private Session(
      Target target, Kernel kernel, Optional<KernelOptions> options, Optional<LetGo> guard) {
    this.target = target;
    this.kernel = kernel;
    this.options = options;
    this.guard = guard;
    this.debugFiles =
        new SessionDebugFiles(
            this,
            options
                .map(KernelOptions::debugFiles)
                .orElseGet(() -> new DebugFiles(DebugFileSettings.none(), DownloadProgress.none())),
            options.flatMap(KernelOptions::index));
    this.live = target.find(Live.class);
    if (live.isPresent()) {
      epoch = live.get().epoch();
      ran = live.get().state() == Live.State.RUNNING;
      read = true;
      foundAt = System.nanoTime();
    }
    guard.ifPresent(g -> g.interruptWith(this::interrupt));
    if (options.isPresent()) {
      SessionTypes.join(this);
    }
  }

  /**
   * Opens the dump made of {@code files} and finds the kernel in it. An ELF file among them that is
   * no dump, such as the kernel's vmlinux, is taken as its debug file.
   *
   * @throws dev.fathom.base.FathomException when they cannot be read or hold no kernel that Fathom
   *     knows
   */
  public static Session open(List<Path> files, KernelOptions options) {
    var given = SessionDebugFiles.among(files);
    var dump = files.stream().filter(file -> !given.contains(file)).toList();
    var all = given.isEmpty() ? options : options.with(options.debugFiles().withFiles(given));
    Target target = ServiceLoader.load(TargetProvider.class).iterator().next().open(dump);
    try {
      var session = new Session(target, find(target, all), Optional.of(all), Optional.empty());
      session.debugFiles.requireFits(given);
      session.debugFiles.tellUnused(options.debugFiles().settings().files());
      return session;
    } catch (RuntimeException | Error e) {
      target.close();
      throw e;
    }
  }

  /**
   * Attaches to the live target at {@code address} and finds the kernel in it.
   *
   * @throws dev.fathom.base.FathomException when no provider takes the address, nobody answers, or
   *     there is no kernel that Fathom knows
   */
  public static Session attach(String address, AttachOptions attach, KernelOptions options) {
    return attach(address, List.of(), attach, options);
  }

  /**
   * The same with files that belong to the target, such as the kernel's vmlinux: their debug
   * information is used.
   *
   * @throws dev.fathom.base.FathomException also when one is of another build
   */
  public static Session attach(
      String address, List<Path> files, AttachOptions attach, KernelOptions given) {
    var options = given.with(given.debugFiles().withFiles(files));
    var provider = provider(address);
    var guard = LetGo.standing();
    guard.enter();
    try {
      var target = guard.over(begin(provider, address, attach, guard));
      if (attach.stop()) {
        target
            .find(RunControl.class)
            .orElseThrow(
                () -> new UnsupportedException(address + ": this target cannot be stopped"))
            .stop();
      }
      var live = target.find(Live.class);
      live.ifPresent(Live::look);
      if (guard.isEnding()) {
        throw new TargetException(address + ": given up");
      }
      var kernel = find(target, options);
      var session = new Session(target, kernel, Optional.of(options), Optional.of(guard));
      session.debugFiles.requireFits(files);
      session.debugFiles.tellUnused(given.debugFiles().settings().files());
      live.ifPresent(Live::rest);
      return session;
    } catch (RuntimeException | Error e) {
      try {
        guard.close();
      } catch (FathomException second) {
        e.addSuppressed(second);
      }
      throw e;
    } finally {
      guard.leave();
    }
  }

  private static Target begin(
      LiveTargetProvider provider, String address, AttachOptions attach, LetGo guard) {
    guard.attaching(attach.timeout());
    try {
      return provider.attach(address, attach.givenUpWhen(guard::isEnding));
    } finally {
      guard.attached();
      Thread.interrupted(); // It has served its purpose, and would disturb letting go.
    }
  }

  /** Whether a text is the address of a live target, whatever is there. */
  public static boolean isLiveAddress(String text) {
    for (var provider : ServiceLoader.load(LiveTargetProvider.class)) {
      if (provider.accepts(text)) {
        return true;
      }
    }
    return false;
  }

  private static LiveTargetProvider provider(String address) {
    var forms = new ArrayList<String>();
    var flaws = new ArrayList<String>();
    for (var provider : ServiceLoader.load(LiveTargetProvider.class)) {
      if (provider.accepts(address)) {
        return provider;
      }
      forms.addAll(provider.forms());
      provider.flaw(address).ifPresent(flaws::add);
    }
    if (!flaws.isEmpty()) {
      throw new UsageException(address + ": " + flaws.getFirst());
    }
    throw new UsageException(
        "'" + address + "' is not an address of a live target: " + String.join(", ", forms));
  }

  private static Kernel find(Target target, KernelOptions options) {
    for (var provider : ServiceLoader.load(KernelProvider.class)) {
      var kernel = provider.attach(target, options);
      if (kernel.isPresent()) {
        return kernel.get();
      }
    }
    var message =
        new StringBuilder(target.info().name())
            .append(": no known kernel found in this ")
            .append(target.info().format());
    if (!target.warnings().isEmpty()) {
      // A dump that was cut off is the likely reason.
      String warning = target.warnings().get(0);
      String prefix = target.info().name() + ": ";
      message
          .append("; ")
          .append(warning.startsWith(prefix) ? warning.substring(prefix.length()) : warning);
    }
    throw new TargetException(message.toString());
  }

  /** A session over parts that are already there. */
  public static Session of(Target target, Kernel kernel) {
    return new Session(target, kernel, Optional.empty(), Optional.empty());
  }

  public Target target() {
    return target;
  }

  public Kernel kernel() {
    return kernel;
  }

  /** The files with debug information of what is loaded. */
  public SessionDebugFiles debugFiles() {
    return debugFiles;
  }

  /**
   * The source of the code that is loaded, by debug files that are found. From then on stacks are
   * walked with the help of those.
   */
  public SourceInfo sources() {
    return debugSources().info();
  }

  /**
   * What is wrong with the debug files as far as they were read: what that costs is left out of
   * answers.
   */
  public List<String> problems() {
    return sources.map(known -> known.info().problems()).orElseGet(() -> debugFiles.problems());
  }

  /** The code that functions' names mean. */
  public NamedCode functions() {
    return new NamedCode(this);
  }

  SessionSources debugSources() {
    if (sources.isEmpty()) {
      sources = Optional.of(new SessionSources(this));
      kernel.supplement(sources.get().frames());
    }
    return sources.get();
  }

  /**
   * The engine that stops, steps and continues the target.
   *
   * @throws UnsupportedException when this target cannot be stopped
   */
  public Control control() {
    if (control.isEmpty()) {
      control = Optional.of(Control.of(this));
    }
    return control.get();
  }

  /**
   * A command line begins. A live target is looked at anew: what can have changed since the last
   * line is forgotten, and a kernel that is no longer there is looked for again.
   *
   * @return what the user must know
   * @throws dev.fathom.base.TargetException when the target is gone
   */
  public List<String> begin() {
    guard.ifPresent(LetGo::enter);
    if (live.isEmpty()) {
      return List.of();
    }
    try {
      live.get().look();
      var told = new ArrayList<>(refresh());
      control.map(Control::inVain).ifPresent(told::addAll);
      return told;
    } catch (RuntimeException | Error e) {
      try {
        end();
      } catch (FathomException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  /**
   * The same for work that chooses itself when it looks at the target: nothing is looked at now.
   */
  public void beginWithoutLook() {
    guard.ifPresent(LetGo::enter);
  }

  /** The command line is over; follows each {@link #begin} that returned. */
  public void end() {
    try {
      live.ifPresent(Live::rest);
      ran |= live.isPresent() && live.get().state() == Live.State.RUNNING;
    } finally {
      guard.ifPresent(LetGo::leave);
    }
  }

  /**
   * Forgets what can have changed, when the target ran or was written to since it was read last.
   * What is known of a target that has ended is kept: there is nothing to read instead.
   *
   * @return what the user must know
   */
  public List<String> refresh() {
    if (live.isEmpty() || live.get().state() == Live.State.GONE) {
      return List.of();
    }
    boolean running = live.get().state() == Live.State.RUNNING;
    boolean moved = live.get().epoch() != epoch || running != ran;
    boolean fresh = read && !moved && (!running || System.nanoTime() - foundAt < FRESH_NANOS);
    read = false;
    ran = running;
    epoch = live.get().epoch();
    if (fresh) {
      return kernel.present() ? List.of() : List.of(LEFT_OVER);
    }
    if (!moved && !running) {
      return List.of();
    }
    kernel.refresh();
    sources.ifPresent(SessionSources::forget);
    return kernel.present() ? List.of() : search();
  }

  private List<String> search() {
    if (options.isEmpty()) {
      return List.of(GONE);
    }
    try {
      var found = find(target, options.get());
      if (!found.present()) {
        return List.of(GONE + ", and no other has come up yet: what is shown is of the old one");
      }
      kernel = found;
      sources = Optional.empty();
      SessionTypes.join(this);
      control.ifPresent(Control::kernelChanged);
      var process = target.find(ProcessView.class);
      if (process.isPresent()) {
        return List.of(REPLACED + process.get().program().orElse(process.get().name()));
      }
      return List.of("the machine was reset or started another kernel; found " + name(found));
    } catch (FathomException e) {
      return List.of(GONE + ", and no other is found: " + e.getMessage());
    }
  }

  private static String name(Kernel kernel) {
    for (var fact : kernel.facts()) {
      if (fact.key().equals("release") && fact.value() instanceof Cell.Text(String release)) {
        return kernel.os() + " " + release;
      }
    }
    return kernel.os();
  }

  /** Asks the running command to stop; safe from any thread and from a signal handler. */
  public void interrupt() {
    interrupted.set(true);
  }

  /** Whether the user asked to stop; it stays so until {@link #takeInterrupt}. */
  public boolean isInterrupted() {
    return interrupted.get();
  }

  /** Whether the user asked to stop; asking clears it. */
  public boolean takeInterrupt() {
    return interrupted.getAndSet(false);
  }

  @Override
  public void close() {
    debugFiles.close();
    if (guard.isPresent()) {
      guard.get().close();
    } else {
      target.close();
    }
  }
}
