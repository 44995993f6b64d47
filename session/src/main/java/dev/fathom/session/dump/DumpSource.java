// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import dev.fathom.base.FathomException;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.KernelProvider;
import dev.fathom.session.Pause;
import dev.fathom.session.Session;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.LiveTargetProvider;
import dev.fathom.target.Target;
import dev.fathom.target.TargetProvider;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.function.Consumer;

/**
 * What a dump is taken of, ready to be read until it is closed. Of a dump it does without a kernel:
 * one can be converted whatever is in it.
 */
public final class DumpSource implements AutoCloseable {
  private final Target target;
  private final Optional<Kernel> kernel;
  private final Runnable end;

  private DumpSource(Target target, Optional<Kernel> kernel, Runnable end) {
    this.target = target;
    this.kernel = kernel;
    this.end = end;
  }

  /**
   * Opens the dump made of {@code files}.
   *
   * @param warnings told when no kernel was found, and why
   * @throws FathomException when the files cannot be read
   */
  public static DumpSource open(
      List<Path> files, KernelOptions options, Consumer<String> warnings) {
    Target target = ServiceLoader.load(TargetProvider.class).iterator().next().open(files);
    try {
      return new DumpSource(target, kernel(target, options, warnings), target::close);
    } catch (RuntimeException | Error e) {
      target.close();
      throw e;
    }
  }

  /** Whether {@link #attach} takes {@code address}. */
  public static boolean isAddress(String address) {
    for (var provider : ServiceLoader.load(LiveTargetProvider.class)) {
      if (provider.accepts(address)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Attaches to a live target, and stops it until the dump is taken when {@code attach} says so and
   * it can be stopped.
   *
   * @throws FathomException when it cannot be attached to, or no known kernel is found
   */
  public static DumpSource attach(
      String address, AttachOptions attach, KernelOptions options, Consumer<String> warnings) {
    var running = new AttachOptions(false, attach.qmp(), attach.stub(), attach.timeout());
    var session = Session.attach(address, running, options);
    try {
      session.begin().forEach(warnings);
      return begun(session, attach.stop(), warnings);
    } catch (RuntimeException | Error e) {
      session.close();
      throw e;
    }
  }

  private static DumpSource begun(Session session, boolean stop, Consumer<String> warnings) {
    var pause = Pause.of(session.target(), stop);
    if (pause.stopped()) {
      session.kernel().refresh();
    }
    if (pause.runs()) {
      warnings.accept("the guest runs while it is dumped: its pages are not of one moment");
    }
    return new DumpSource(
        session.target(),
        Optional.of(session.kernel()),
        () -> {
          try (session) {
            pause.close();
            session.end();
          }
        });
  }

  private static Optional<Kernel> kernel(
      Target target, KernelOptions options, Consumer<String> warnings) {
    try {
      for (var provider : ServiceLoader.load(KernelProvider.class)) {
        var kernel = provider.attach(target, options);
        if (kernel.isPresent()) {
          return kernel;
        }
      }
      warnings.accept("no known kernel found in it: its memory is copied as it is");
    } catch (FathomException e) {
      warnings.accept("no known kernel found in it: " + e.getMessage());
    }
    return Optional.empty();
  }

  public Target target() {
    return target;
  }

  public Optional<Kernel> kernel() {
    return kernel;
  }

  /** A target that was stopped for this goes on. */
  @Override
  public void close() {
    end.run();
  }
}
