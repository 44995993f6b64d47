// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.data;

import dev.fathom.base.FaultException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.kernel.Walker;
import dev.fathom.model.Memory;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.TypeSystem;

/**
 * The pointers in a {@code struct maple_tree} (include/linux/maple_tree.h, lib/maple_tree.c; since
 * 6.1), each standing for a range of numbers.
 *
 * <pre>
 *   ma_root  = 0 | pointer (for number 0 only) | encoded node
 *   encoded  = address, 256-byte aligned | type &lt;&lt; 3 | flags; bits 1 and 0 are 10 in the root
 *   type     = 0 dense | 1 leaf_64 | 2 range_64 | 3 arange_64
 *   node     = parent, pivot[n - 1], slot[n], ...    n and the places by type
 *   slot i holds the numbers up to pivot[i]; a pivot of 0 behind the first, or the last slot, up to
 *   the node's own maximum
 * </pre>
 */
public final class MapleEntries extends IndexedEntries {
  private static final int NODE_BYTES = 256;
  private static final int DENSE = 0;
  private static final int LEAF = 1;
  private static final int ALLOCATION_RANGE = 3;
  private static final int SLOT_LIMIT = 31;

  /** Where pivots and slots are in one type of node. */
  private record Shape(int pivots, int pivotCount, int slots, int slotCount) {}

  private final long rootAt;
  private final Shape range;
  private final Shape allocation;

  private final Block[] nodes = new Block[DEPTH_LIMIT];
  private final int[] kinds = new int[DEPTH_LIMIT];
  private final int[] positions = new int[DEPTH_LIMIT];
  private final long[] starts = new long[DEPTH_LIMIT];
  private final long[] lasts = new long[DEPTH_LIMIT];
  private int depth;
  private boolean started;
  private long index;
  private long last;
  private long entry;

  private MapleEntries(
      Memory memory, long tree, Field root, Shape range, Shape allocation, Walker.Notes notes) {
    super("maple tree at 0x" + Long.toHexString(tree), memory, notes);
    this.rootAt = tree + root.offset();
    this.range = range;
    this.allocation = allocation;
  }

  /**
   * The entries of the {@code struct maple_tree} at {@code tree}.
   *
   * @throws dev.fathom.base.LookupException when the kernel's types are not known
   */
  public static MapleEntries of(TypeSystem types, Memory memory, long tree, Walker.Notes notes) {
    var layouts = new Layouts(types);
    return new MapleEntries(
        memory,
        tree,
        layouts.need("maple_tree", "ma_root"),
        shape(types, layouts, "maple_range_64"),
        shape(types, layouts, "maple_arange_64"),
        notes);
  }

  private static Shape shape(TypeSystem types, Layouts layouts, String tag) {
    int pivotCount = count(types, tag, "pivot");
    int slotCount = count(types, tag, "slot");
    int pivots = layouts.need(tag, "pivot").offset();
    int slots = layouts.need(tag, "slot").offset();
    if (pivots + pivotCount * 8 > NODE_BYTES || slots + slotCount * 8 > NODE_BYTES) {
      throw new UnsupportedException("struct " + tag + " is larger than a maple node");
    }
    return new Shape(pivots, pivotCount, slots, slotCount);
  }

  private static int count(TypeSystem types, String tag, String member) {
    var found = types.member(types.struct(tag), member);
    long count =
        found.isPresent() && found.get().member().type().resolved() instanceof ArrayType a
            ? a.count().orElse(0)
            : 0;
    if (count < 1 || count > SLOT_LIMIT) {
      throw new UnsupportedException("struct " + tag + " has " + count + " of " + member);
    }
    return (int) count;
  }

  @Override
  public long index() {
    return index;
  }

  /** The last number that leads to the entry that {@link #nextLong} returned last. */
  public long last() {
    return last;
  }

  @Override
  protected long element() {
    return entry;
  }

  @Override
  protected boolean step() {
    if (!started) {
      started = true;
      long root = memory.u64(rootAt);
      if ((root & 3) == 2 && Long.compareUnsigned(root, LAST_MARK) > 0) {
        push(root, 0, -1);
      } else if (isPointer(root)) {
        entry = root;
        return true;
      }
    }
    while (depth > 0 && mayVisit()) {
      int top = depth - 1;
      int kind = kinds[top];
      var shape = kind == ALLOCATION_RANGE ? allocation : range;
      int slot = positions[top]++;
      if (slot >= shape.slotCount() || Long.compareUnsigned(starts[top], lasts[top]) > 0) {
        depth--;
        continue;
      }
      long start = starts[top];
      long end = slot < shape.pivotCount() ? nodes[top].u64(shape.pivots() + slot * 8) : lasts[top];
      if ((end == 0 && slot > 0) || Long.compareUnsigned(end, lasts[top]) >= 0) {
        end = lasts[top];
        positions[top] = shape.slotCount();
      }
      starts[top] = end + 1;
      long value = nodes[top].u64(shape.slots() + slot * 8);
      if (kind == LEAF) {
        if (isPointer(value)) {
          index = start;
          last = end;
          entry = value;
          return true;
        }
      } else if (value != 0) {
        push(value, start, end);
      }
    }
    return false;
  }

  private static boolean isPointer(long value) {
    return value != 0 && (value & 3) == 0;
  }

  private void push(long encoded, long start, long end) {
    long address = encoded & -NODE_BYTES;
    int kind = (int) (encoded >>> 3) & 15;
    if (kind > ALLOCATION_RANGE || kind == DENSE || depth == DEPTH_LIMIT) {
      lose("node 0x" + Long.toHexString(encoded) + " is of type " + kind);
      return;
    }
    var node = Block.read(memory, address, NODE_BYTES);
    try {
      node.u64(0);
    } catch (FaultException e) {
      lose(e.getMessage());
      return;
    }
    nodes[depth] = node;
    kinds[depth] = kind;
    positions[depth] = 0;
    starts[depth] = start;
    lasts[depth] = end;
    depth++;
  }
}
