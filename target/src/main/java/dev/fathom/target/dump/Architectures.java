// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import dev.fathom.model.arch.Architecture;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.x86_64.X86_64;
import java.util.Optional;

/** The architectures whose dumps are read. */
final class Architectures {
  private Architectures() {}

  /** The architecture with that {@link Architecture#name}. */
  static Optional<Architecture> named(String name) {
    return switch (name) {
      case "x86_64" -> Optional.of(X86_64.INSTANCE);
      case "aarch64" -> Optional.of(Aarch64.INSTANCE);
      default -> Optional.empty();
    };
  }
}
