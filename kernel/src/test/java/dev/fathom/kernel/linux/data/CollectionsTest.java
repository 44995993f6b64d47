// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.ByteSource;
import dev.fathom.base.EvalException;
import dev.fathom.format.btf.Btf;
import dev.fathom.kernel.Walker;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Layout;
import dev.fathom.model.type.TypeSystem;
import dev.fathom.symbols.BtfTypeSource;
import dev.fathom.testkit.BtfWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.PrimitiveIterator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The kernel's ways to keep things together, whole and damaged. */
class CollectionsTest {
  private static final long BASE = 0xffff_8880_0000_0000L;
  private static final int SIZE = 1 << 16;

  private final byte[] bytes = new byte[SIZE];
  private final HeapMemory memory = new HeapMemory("kernel", Layout.LITTLE_64).put(BASE, bytes);
  private final List<String> notes = new ArrayList<>();

  private void put8(long address, long value) {
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong((int) (address - BASE), value);
  }

  private static List<Long> all(PrimitiveIterator.OfLong walk) {
    var found = new ArrayList<Long>();
    walk.forEachRemaining((Long element) -> found.add(element));
    return found;
  }

  /** A list of nodes with both links; the first is the head. */
  private void list(long... nodes) {
    for (int i = 0; i < nodes.length; i++) {
      long next = nodes[(i + 1) % nodes.length];
      put8(nodes[i], next);
      put8(next + 8, nodes[i]);
    }
  }

  @Test
  void listsGoBothWays() {
    list(BASE, BASE + 0x40, BASE + 0x80);
    assertThat(all(ListNodes.forward(memory, BASE, notes::add)))
        .containsExactly(BASE + 0x40, BASE + 0x80);
    assertThat(all(ListNodes.backward(memory, BASE, notes::add)))
        .containsExactly(BASE + 0x80, BASE + 0x40);
    list(BASE);
    assertThat(all(ListNodes.forward(memory, BASE, notes::add))).isEmpty();
    assertThat(notes).isEmpty();
  }

  @Test
  void damagedListsEndWithANote() {
    list(BASE, BASE + 0x40, BASE + 0x80);
    put8(BASE + 0x80, BASE + 0x40);
    var cycle = ListNodes.forward(memory, BASE, notes::add);
    assertThat(all(cycle)).hasSize(2);
    assertThat(cycle.broken()).isTrue();
    assertThat(notes).singleElement().asString().contains("comes back to 0xffff888000000040");
    put8(BASE + 0x80, 0);
    assertThat(all(ListNodes.forward(memory, BASE, notes::add))).hasSize(2);
    put8(BASE + 0x80, 0x1234);
    assertThat(all(ListNodes.forward(memory, BASE, notes::add))).hasSize(3);
    assertThat(notes).hasSize(3);
    assertThat(notes.get(1)).contains("NULL");
    assertThat(notes.get(2)).contains("0x1234");
  }

  @Test
  void chainsEndInNullOrAnOddLink() {
    put8(BASE, BASE + 0x40);
    put8(BASE + 0x40, BASE + 0x80);
    put8(BASE + 0x80, 0);
    assertThat(all(new ChainNodes(memory, BASE, 0, notes::add)))
        .containsExactly(BASE + 0x40, BASE + 0x80);
    put8(BASE + 0x80, 0x11);
    assertThat(all(new ChainNodes(memory, BASE, 0, notes::add))).hasSize(2);
    assertThat(notes).isEmpty();
    put8(BASE + 0x80, BASE + 0x80);
    assertThat(all(new ChainNodes(memory, BASE, 0, notes::add))).hasSize(2);
    assertThat(notes).hasSize(1);
  }

  @Test
  void redBlackTreesInOrder() {
    long top = BASE + 0x100;
    long left = BASE + 0x140;
    long right = BASE + 0x180;
    long inner = BASE + 0x1c0;
    put8(BASE, top);
    put8(top + 16, left);
    put8(top + 8, right);
    put8(left + 8, inner);
    assertThat(all(new RbNodes(memory, BASE, notes::add))).containsExactly(left, inner, top, right);
    assertThat(notes).isEmpty();
    put8(inner + 8, 0x1000);
    assertThat(all(new RbNodes(memory, BASE, notes::add)))
        .containsExactly(left, inner, 0x1000L, top, right);
    put8(inner + 8, top);
    assertThat(all(new RbNodes(memory, BASE, notes::add))).hasSizeLessThan(66);
    assertThat(notes).hasSize(2);
  }

  private static TypeSystem types(boolean xarray) {
    var btf = new BtfWriter();
    int word = btf.integer("long unsigned int", 8, 0);
    int octet = btf.integer("unsigned char", 1, 0);
    int pointer = btf.pointer(0);
    int index = btf.integer("int", 4, 1);
    int slots = btf.array(pointer, index, 64);
    if (xarray) {
      btf.struct("xarray", 16, 1);
      btf.member("xa_head", pointer, 64);
    } else {
      btf.struct("radix_tree_root", 16, 1);
      btf.member("rnode", pointer, 64);
    }
    btf.struct(xarray ? "xa_node" : "radix_tree_node", 576, 2);
    btf.member("shift", octet, 0).member("slots", slots, 320);
    btf.struct("maple_tree", 16, 1);
    btf.member("ma_root", pointer, 64);
    maple(btf, "maple_range_64", word, pointer, index, 15);
    maple(btf, "maple_arange_64", word, pointer, index, 9);
    var types = new TypeSystem(8);
    types.add(BtfTypeSource.of(Btf.parse(ByteSource.of("btf", btf.bytes())), 8));
    return types;
  }

  private static void maple(
      BtfWriter btf, String name, int word, int pointer, int index, int pivots) {
    int pivot = btf.array(word, index, pivots);
    int slot = btf.array(pointer, index, pivots + 1L);
    btf.struct(name, 256, 2);
    btf.member("pivot", pivot, 64).member("slot", slot, (8 + pivots * 8L) * 8);
  }

  private static List<String> indexed(IndexedEntries walk) {
    var found = new ArrayList<String>();
    while (walk.hasNext()) {
      long entry = walk.nextLong();
      found.add(walk.index() + "=" + Long.toHexString(entry));
    }
    return found;
  }

  /** Two levels, a number and a mark among the pointers. */
  private void tree(long nodeMark, long number, long sibling) {
    long upper = BASE + 0x1000;
    long lower = BASE + 0x2000;
    put8(BASE + 8, upper | nodeMark);
    bytes[0x1000] = 6;
    bytes[0x2000] = 0;
    put8(upper + 40, 0x5000);
    put8(upper + 40 + 8, sibling);
    put8(upper + 40 + 3 * 8, lower | nodeMark);
    put8(lower + 40 + 5 * 8, 0x6000);
    put8(lower + 40 + 6 * 8, number);
    put8(lower + 40 + 63 * 8, 0x7000);
  }

  @Test
  void xarraysByIndex() {
    tree(2, 77 << 1 | 1, 2);
    assertThat(indexed(XArrayEntries.of(types(true), memory, BASE, notes::add)))
        .containsExactly("0=5000", "197=6000", "255=7000");
    put8(BASE + 8, 0x4440);
    assertThat(indexed(XArrayEntries.of(types(true), memory, BASE, notes::add)))
        .containsExactly("0=4440");
    assertThat(notes).isEmpty();
  }

  @Test
  void radixTreesByIndex() {
    // A sibling points at the first of its slots, marked like a node.
    tree(1, 77 << 2 | 2, (BASE + 0x1000 + 40) | 1);
    assertThat(indexed(XArrayEntries.of(types(false), memory, BASE, notes::add)))
        .containsExactly("0=5000", "197=6000", "255=7000");
    assertThat(notes).isEmpty();
  }

  @Test
  void aTreeThatContainsItselfEnds() {
    tree(2, 0, 0);
    put8(BASE + 0x1000 + 40 + 3 * 8, (BASE + 0x1000) | 2);
    assertThat(indexed(XArrayEntries.of(types(true), memory, BASE, notes::add)))
        .containsExactly("0=5000");
    assertThat(notes).singleElement().asString().contains("shift 6");
  }

  /** Ten nodes, all slots of each lead to the next: 64^10 ways through a tree without an entry. */
  @Test
  @Timeout(60)
  void aTreeOfNothingCanBeStopped() {
    put8(BASE + 8, (BASE + 0x1000) | 2);
    for (int i = 0; i < 10; i++) {
      bytes[0x1000 * (i + 1)] = (byte) (54 - 6 * i);
      for (int slot = 0; slot < 64 && i < 9; slot++) {
        put8(BASE + 0x1000L * (i + 1) + 40 + slot * 8L, (BASE + 0x1000L * (i + 2)) | 2);
      }
    }
    var stop =
        new Walker.Notes() {
          private int asked;

          @Override
          public void note(String text) {
            notes.add(text);
          }

          @Override
          public void checkInterrupt() {
            if (++asked == 100) {
              throw new EvalException("stopped");
            }
          }
        };
    var walk = XArrayEntries.of(types(true), memory, BASE, stop);
    assertThatThrownBy(walk::hasNext).isInstanceOf(EvalException.class);
    assertThat(notes).isEmpty();
  }

  @Test
  void mapleTreesByRange() {
    long top = BASE + 0x1000;
    long first = BASE + 0x2000;
    long second = BASE + 0x3000;
    put8(BASE + 8, top | 3 << 3 | 2);
    put8(top + 8, 0xfff);
    put8(top + 8 + 9 * 8, first | 1 << 3 | 4);
    put8(top + 8 + 9 * 8 + 8, second | 1 << 3 | 4);
    put8(first + 8, 0xff);
    put8(first + 16, 0x1ff);
    put8(first + 128 + 8, 0xa000);
    put8(second + 8, 0x1fff);
    put8(second + 128, 0xb000);
    put8(second + 16, 0x2fff);
    put8(second + 128 + 8, 257 << 2 | 2);
    put8(second + 128 + 16, 0xc000);
    var walk = MapleEntries.of(types(true), memory, BASE, notes::add);
    assertThat(indexed(walk)).containsExactly("256=a000", "4096=b000", "12288=c000");
    assertThat(walk.last()).isEqualTo(-1);
    assertThat(notes).isEmpty();
    put8(top + 8 + 9 * 8, top | 3 << 3 | 4);
    assertThat(indexed(MapleEntries.of(types(true), memory, BASE, notes::add)))
        .hasSizeLessThan(30)
        .contains("12288=c000");
    assertThat(notes).isNotEmpty();
  }

  @Test
  void blocksReadWhatIsThere() {
    var holed = new HeapMemory("kernel", Layout.LITTLE_64);
    holed.put(0x1000, new byte[4096]).put(0x3000, new byte[4096]);
    var block = Block.read(holed, 0x1f00, 0x2000);
    assertThat(block.has(0, 0x100)).isTrue();
    assertThat(block.has(0x100, 1)).isFalse();
    assertThat(block.has(0x1100, 8)).isTrue();
    assertThat(block.has(0x10fc, 8)).isFalse();
    assertThat(block.has(-1, 1)).isFalse();
    assertThat(block.has(0x1ff9, 8)).isFalse();
    assertThat(block.u64(0x1100)).isZero();
    assertThatThrownBy(() -> block.u64(0xf9))
        .hasMessage("cannot read kernel address 0x2000: no mapping for address");
  }
}
