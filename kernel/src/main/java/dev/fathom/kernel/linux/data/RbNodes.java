// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.data;

import dev.fathom.base.FaultException;
import dev.fathom.kernel.Walker;
import dev.fathom.model.Memory;

/**
 * The nodes of a red-black tree in order (include/linux/rbtree_types.h: {@code struct rb_node} is
 * parent and colour, right, left; {@code struct rb_root} and {@code rb_root_cached} begin with the
 * pointer to the top node).
 */
public final class RbNodes extends Chase {
  private static final int RIGHT = 8;
  private static final int LEFT = 16;

  /** A red-black tree of 2^32 nodes is at most this deep. */
  private static final int DEPTH_LIMIT = 64;

  private final Memory memory;
  private final long[] stack = new long[DEPTH_LIMIT];
  private int depth;
  private final long root;
  private long at;

  /**
   * @param root the address of the {@code struct rb_root}
   */
  public RbNodes(Memory memory, long root, Walker.Notes notes) {
    super("tree at 0x" + Long.toHexString(root), notes);
    this.memory = memory;
    this.root = root;
  }

  @Override
  protected boolean step() {
    long link = at == 0 ? root : at + RIGHT;
    while (true) {
      long node;
      try {
        node = memory.u64(link);
      } catch (FaultException e) {
        lose(e.getMessage());
        break;
      }
      if (node == 0) {
        break;
      }
      if (depth == DEPTH_LIMIT) {
        end("deeper than " + DEPTH_LIMIT);
        return false;
      }
      stack[depth++] = node;
      link = node + LEFT;
    }
    if (depth == 0) {
      return false;
    }
    at = stack[--depth];
    return true;
  }

  @Override
  protected long element() {
    return at;
  }
}
