// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel;

import java.util.List;
import java.util.Set;

/** Tells what pages of physical memory are used for, as the kernel's own records say. */
public interface PageClasses {
  /** What a page holds. */
  enum Use {
    /** Whatever a debugger may need, and all that is not known for certain to be something else. */
    KERNEL,
    /** A file's content that can be read again. */
    CACHE,
    /** A file's content with private data of its file system. */
    PRIVATE_CACHE,
    /** A process's own memory. */
    USER,
    /** Nothing. */
    FREE
  }

  /** The uses that are told from {@link Use#KERNEL} in this kernel. */
  Set<Use> known();

  /** Why others are not told, and what else the user should know; may grow with what is read. */
  List<String> remarks();

  /**
   * What the pages from number {@code first} on (physical address over page size) are used for.
   *
   * @param into takes the {@linkplain Enum#ordinal number} of a {@link Use} for each page
   */
  void read(long first, byte[] into);
}
