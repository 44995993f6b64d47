// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.data;

import dev.fathom.kernel.Walker;
import dev.fathom.model.Memory;

/**
 * The nodes of a chain that ends in NULL: {@code struct hlist_head} and {@code hlist_node}
 * (include/linux/types.h), llist, {@code struct hlist_nulls_head} (an odd link ends it), and any
 * structure linked through one member.
 */
public final class ChainNodes extends Chase {
  private final Memory memory;
  private final int link;
  private long from;
  private long at;
  private boolean first = true;

  /**
   * @param head where the pointer to the first node stands
   * @param link the offset of the pointer to the next node within a node
   */
  public ChainNodes(Memory memory, long head, int link, Walker.Notes notes) {
    super("chain at 0x" + Long.toHexString(head), notes);
    this.memory = memory;
    this.link = link;
    this.from = head;
  }

  @Override
  protected boolean step() {
    at = memory.u64(first ? from : from + link);
    first = false;
    from = at;
    return at != 0 && (at & 1) == 0;
  }

  @Override
  protected long element() {
    return at;
  }
}
