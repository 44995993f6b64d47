// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.data;

import dev.fathom.base.FaultException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.kernel.Walker;
import dev.fathom.model.Memory;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.TypeSystem;

/**
 * The pointers in a {@code struct xarray} (include/linux/xarray.h, since 4.20) or, before, a {@code
 * struct radix_tree_root} (include/linux/radix-tree.h). IDR and IDA begin with one.
 *
 * <pre>
 *   entry   = 0 | pointer | mark
 *   xarray:  ..10 below 4096 a mark (sibling, retry, zero), above a node; ...1 a number
 *   radix:   ..01 a node or a sibling's slot, ..10 a number
 *   node    = shift u8, offset u8, count u8, ... slots[64]
 * </pre>
 */
public final class XArrayEntries extends IndexedEntries {
  private static final int SLOT_LIMIT = 256;

  private final boolean xarray;
  private final int shiftOffset;
  private final int slotsOffset;
  private final int slots;
  private final int slotBits;
  private final long headAt;

  private final Block[] nodes = new Block[DEPTH_LIMIT];
  private final int[] positions = new int[DEPTH_LIMIT];
  private final long[] bases = new long[DEPTH_LIMIT];
  private final int[] shifts = new int[DEPTH_LIMIT];
  private int depth;
  private boolean started;
  private long index;
  private long entry;

  private XArrayEntries(
      Memory memory,
      long root,
      Field head,
      Field shift,
      Field slots,
      int count,
      boolean xarray,
      Walker.Notes notes) {
    super("tree at 0x" + Long.toHexString(root), memory, notes);
    this.headAt = root + head.offset();
    this.shiftOffset = shift.offset();
    this.slotsOffset = slots.offset();
    this.slots = count;
    this.slotBits = Integer.numberOfTrailingZeros(count);
    this.xarray = xarray;
  }

  /**
   * The entries of the tree whose root structure is at {@code root}.
   *
   * @throws dev.fathom.base.LookupException when the kernel's types are not known
   */
  public static XArrayEntries of(TypeSystem types, Memory memory, long root, Walker.Notes notes) {
    var layouts = new Layouts(types);
    boolean xarray = layouts.find("xarray", "xa_head").isPresent();
    var head =
        xarray ? layouts.need("xarray", "xa_head") : layouts.need("radix_tree_root", "rnode");
    var node = xarray ? "xa_node" : "radix_tree_node";
    var slots = layouts.need(node, "slots");
    var array = types.member(types.struct(node), "slots").orElseThrow().member().type().resolved();
    long count = array instanceof ArrayType a ? a.count().orElse(0) : 0;
    if (count < 2 || count > SLOT_LIMIT || Long.bitCount(count) != 1) {
      throw new UnsupportedException("struct " + node + " has " + count + " slots");
    }
    return new XArrayEntries(
        memory, root, head, layouts.need(node, "shift"), slots, (int) count, xarray, notes);
  }

  @Override
  public long index() {
    return index;
  }

  @Override
  protected long element() {
    return entry;
  }

  @Override
  protected boolean step() {
    if (!started) {
      started = true;
      long head = memory.u64(headAt);
      if (isNode(head)) {
        push(head, 0, 64);
      } else if (isPointer(head)) {
        entry = head;
        return true;
      }
    }
    while (depth > 0 && mayVisit()) {
      int top = depth - 1;
      if (positions[top] == slots) {
        depth--;
        continue;
      }
      int slot = positions[top]++;
      long candidate = nodes[top].u64(slotsOffset + slot * 8);
      long at = bases[top] | (long) slot << shifts[top];
      if (isNode(candidate)) {
        push(candidate, at, shifts[top]);
      } else if (isPointer(candidate)) {
        index = at;
        entry = candidate;
        return true;
      }
    }
    return false;
  }

  private boolean isNode(long value) {
    return xarray
        ? (value & 3) == 2 && Long.compareUnsigned(value, LAST_MARK) > 0
        : (value & 3) == 1 && Long.compareUnsigned(value, LAST_MARK) > 0 && !isSibling(value);
  }

  /** In radix trees a sibling is marked as a node and points into the slots of its own node. */
  private boolean isSibling(long value) {
    if (depth == 0) {
      return false;
    }
    long distance = (value & ~3L) - (nodes[depth - 1].address() + slotsOffset);
    return Long.compareUnsigned(distance, slots * 8L) < 0;
  }

  private static boolean isPointer(long value) {
    return value != 0 && (value & 3) == 0;
  }

  private void push(long value, long base, int above) {
    long address = value & ~3L;
    var node = Block.read(memory, address, slotsOffset + slots * 8);
    int shift;
    try {
      shift = node.u8(shiftOffset);
      // All slots must be there before the first is used.
      node.u64(slotsOffset);
      node.u64(slotsOffset + (slots - 1) * 8);
    } catch (FaultException e) {
      lose(e.getMessage());
      return;
    }
    if (shift + slotBits > above + (above == 64 ? slotBits : 0)
        || shift > 63
        || depth == DEPTH_LIMIT) {
      lose("node at 0x" + Long.toHexString(address) + " has shift " + shift);
      return;
    }
    nodes[depth] = node;
    positions[depth] = 0;
    bases[depth] = base;
    shifts[depth] = shift;
    depth++;
  }
}
