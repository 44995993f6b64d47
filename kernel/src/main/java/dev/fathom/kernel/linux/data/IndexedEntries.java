// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.data;

import dev.fathom.kernel.Walker;
import dev.fathom.model.Memory;

/**
 * The entries of a tree that maps numbers to pointers, in order of their numbers. Subclasses know
 * the nodes; an entry that is itself a number or a mark of the tree's own is left out.
 */
public abstract sealed class IndexedEntries extends Chase permits XArrayEntries, MapleEntries {
  /** Deeper than any tree of 64-bit numbers with ten slots in a node. */
  static final int DEPTH_LIMIT = 24;

  /** Entries below this are the tree's own marks (include/linux/xarray.h, xa_is_node()). */
  static final long LAST_MARK = 4096;

  protected final Memory memory;

  IndexedEntries(String what, Memory memory, Walker.Notes notes) {
    super(what, notes);
    this.memory = memory;
  }

  /** The number of the entry that {@link #nextLong} returned last. */
  public abstract long index();

  /** Several numbers may lead to one object, so the number must not come twice. */
  @Override
  protected final long identity() {
    return index();
  }
}
