// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.debugfile;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * How the search for a debug file ended.
 *
 * @param found the file; absent when there is none
 * @param attempts where it was looked for, in order
 */
public record Search(Wanted wanted, Optional<Path> found, List<Attempt> attempts) {
  public Search {
    attempts = List.copyOf(attempts);
  }

  /** The files that were there and belong to another build. */
  public List<Attempt> refused() {
    return attempts.stream()
        .filter(
            a ->
                a.outcome() instanceof Attempt.OtherBuild
                    || a.outcome() instanceof Attempt.OtherChecksum)
        .toList();
  }
}
