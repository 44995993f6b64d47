// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session;

import dev.fathom.base.TargetException;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.KernelProvider;
import dev.fathom.target.Target;
import dev.fathom.target.TargetProvider;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A target, the kernel in it and what the user has selected. Confined to the thread that opened it;
 * only {@link #interrupt} may be called from another.
 */
public final class Session implements AutoCloseable {
  private final Target target;
  private final Kernel kernel;
  private final AtomicBoolean interrupted = new AtomicBoolean();

  private Session(Target target, Kernel kernel) {
    this.target = target;
    this.kernel = kernel;
  }

  /**
   * Opens the dump made of {@code files} and finds the kernel in it.
   *
   * @throws dev.fathom.base.FathomException when they cannot be read or hold no kernel that Fathom
   *     knows
   */
  public static Session open(List<Path> files, KernelOptions options) {
    Target target = ServiceLoader.load(TargetProvider.class).iterator().next().open(files);
    try {
      for (var provider : ServiceLoader.load(KernelProvider.class)) {
        var kernel = provider.attach(target, options);
        if (kernel.isPresent()) {
          return new Session(target, kernel.get());
        }
      }
    } catch (RuntimeException | Error e) {
      target.close();
      throw e;
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
    target.close();
    throw new TargetException(message.toString());
  }

  /** A session over parts that are already there. */
  public static Session of(Target target, Kernel kernel) {
    return new Session(target, kernel);
  }

  public Target target() {
    return target;
  }

  public Kernel kernel() {
    return kernel;
  }

  /** Asks the running command to stop; safe from any thread and from a signal handler. */
  public void interrupt() {
    interrupted.set(true);
  }

  /** Whether the user asked to stop; asking clears it. */
  public boolean takeInterrupt() {
    return interrupted.getAndSet(false);
  }

  @Override
  public void close() {
    target.close();
  }
}
