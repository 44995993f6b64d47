// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.data;

import dev.fathom.kernel.Walker;
import dev.fathom.model.Memory;

/**
 * The nodes of a circular list of {@code struct list_head} (include/linux/types.h: next, prev),
 * without its head. A link that is NULL ends the walk: no list of the kernel has one.
 */
public final class ListNodes extends Chase {
  private final Memory memory;
  private final long head;
  private final int link;
  private long at;

  private ListNodes(Memory memory, long head, int link, Walker.Notes notes) {
    super("list at 0x" + Long.toHexString(head), notes);
    this.memory = memory;
    this.head = head;
    this.link = link;
    this.at = head;
  }

  public static ListNodes forward(Memory memory, long head, Walker.Notes notes) {
    return new ListNodes(memory, head, 0, notes);
  }

  /** From the last node to the first, along {@code prev}. */
  public static ListNodes backward(Memory memory, long head, Walker.Notes notes) {
    return new ListNodes(memory, head, 8, notes);
  }

  @Override
  protected boolean step() {
    long next = memory.u64(at + link);
    if (next == 0) {
      end("NULL link at 0x" + Long.toHexString(at + link));
      return false;
    }
    at = next;
    return at != head;
  }

  @Override
  protected long element() {
    return at;
  }
}
