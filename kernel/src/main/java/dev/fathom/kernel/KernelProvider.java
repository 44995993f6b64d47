// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel;

import dev.fathom.target.Target;
import java.util.Optional;

/** Recognises one operating system; found with {@link java.util.ServiceLoader}. */
public interface KernelProvider {
  String name();

  /** The kernel in {@code target}, or empty when it is not this provider's. */
  Optional<Kernel> attach(Target target, KernelOptions options);
}
