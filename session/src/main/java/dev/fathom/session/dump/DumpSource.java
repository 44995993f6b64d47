// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import dev.fathom.base.FathomException;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.KernelProvider;
import dev.fathom.target.Target;
import dev.fathom.target.TargetProvider;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.function.Consumer;

/**
 * What a dump is taken of. Unlike a session it does without a kernel: a dump can be converted
 * whatever is in it.
 */
public record DumpSource(Target target, Optional<Kernel> kernel) implements AutoCloseable {
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
      return new DumpSource(target, kernel(target, options, warnings));
    } catch (RuntimeException | Error e) {
      target.close();
      throw e;
    }
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

  @Override
  public void close() {
    target.close();
  }
}
