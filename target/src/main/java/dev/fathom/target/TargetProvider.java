// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import java.nio.file.Path;
import java.util.List;

/** Opens one family of targets; found with {@link java.util.ServiceLoader}. */
public interface TargetProvider {
  String name();

  /**
   * Opens {@code files}, one dump or the parts of one.
   *
   * @throws dev.fathom.base.FathomException when they are not what this provider reads
   */
  Target open(List<Path> files);
}
