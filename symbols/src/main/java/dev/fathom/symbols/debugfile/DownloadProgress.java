// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.debugfile;

import java.util.OptionalLong;

/** Told of a download that goes on. */
@FunctionalInterface
public interface DownloadProgress {
  /**
   * Called several times a second.
   *
   * @param url what is fetched
   * @param done bytes that came so far
   * @param total bytes of the whole, when the server said so
   * @return whether to go on
   */
  boolean step(String url, long done, OptionalLong total);

  /** Tells nobody. */
  static DownloadProgress none() {
    return (_, _, _) -> true;
  }
}
