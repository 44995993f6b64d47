// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel;

import dev.fathom.base.UnsupportedException;
import dev.fathom.target.OpenFile;
import java.util.Optional;
import java.util.OptionalLong;

/** What processes have to do with files. Addresses are the kernel's. */
public interface ProcessFiles {
  /** The working directory of a thread's process; empty for one that has none. */
  String directory(Task task);

  /** The root directory of a thread's process; empty for one that has none. */
  String root(Task task);

  /** The words that a thread's process was started with, as it keeps them itself. */
  String arguments(Task task);

  /** The file that is open under a number. */
  Optional<OpenFile> open(Task task, long descriptor);

  /**
   * The structure of the file that is open under a number.
   *
   * @throws UnsupportedException where there are no such structures
   */
  OptionalLong object(Task task, long descriptor);

  /**
   * The name that a {@code struct path} stands for.
   *
   * @throws UnsupportedException where there are no such structures
   */
  String path(long address);

  /**
   * The file whose content is in the page that a {@code struct page} describes; empty where that is
   * no file's.
   *
   * @throws UnsupportedException where there are no such structures
   */
  Optional<OpenFile> ofPage(long page);
}
