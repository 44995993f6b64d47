// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.FathomException;
import dev.fathom.base.LookupException;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Layout;
import dev.fathom.model.type.TypeSystem;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TaskProbeTest {
  private static final long DATA = 0x6100_0000L;
  private static final int SIZE = 1 << 20;
  private static final long TEXT = 0x6000_0000L;

  /** Where this kernel has the members: as far apart as kernels have them, or farther. */
  private record Offsets(
      int stack,
      int tasks,
      int mm,
      int exit,
      int pid,
      int parent,
      int node,
      int comm,
      int signal,
      int head,
      int jump) {
    static Offsets random(Random random) {
      int stack = 8;
      int tasks = 256 + 8 * random.nextInt(64);
      int mm = tasks + 16 + 8 * random.nextInt(4);
      int exit = mm + 24 + 4 * random.nextInt(8);
      int pid = exit + 40 + 4 * random.nextInt(8);
      int parent = (pid + 8 + 7 & -8) + 8 * random.nextInt(3);
      int node = parent + 56 + 8 * random.nextInt(20);
      int comm = node + 16 + 8 * random.nextInt(20);
      int signal = comm + 16 + 8 * random.nextInt(20);
      int jump = signal + 8 + 8 * random.nextInt(300);
      return new Offsets(
          stack, tasks, mm, exit, pid, parent, node, comm, signal, 8 + 8 * random.nextInt(8), jump);
    }
  }

  private record Kernel(HeapMemory memory, ByteBuffer bytes, long init) {
    TaskProbe probe() {
      return TaskProbe.of(
          memory,
          init,
          address -> address >= DATA && address < DATA + SIZE,
          address -> address >= TEXT && address < TEXT + 4096);
    }
  }

  /** Tasks in memory: the first, number 1, kthreadd and its children. */
  private static Kernel kernel(Offsets at, int count, Random random) {
    var bytes = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);
    var tasks = new ArrayList<Long>();
    for (int i = 0; i < count; i++) {
      tasks.add(DATA + 0x1000 + 0x5000L * i);
    }
    for (int i = 0; i < count; i++) {
      long task = tasks.get(i);
      int base = (int) (task - DATA);
      long stack = DATA + 0x80000 + 0x4000L * i;
      bytes.putInt(base, 1);
      bytes.putLong(base + at.stack(), stack);
      bytes.putLong((int) (stack - DATA), task);
      bytes.putInt(base + at.stack() + 12, i == 1 ? 0x400100 : 0x208040);
      link(bytes, at.tasks(), task, tasks.get((i + 1) % count));
      bytes.putLong(base + at.mm(), i == 1 ? DATA + 0x500 : 0);
      bytes.putInt(base + at.exit() + 8, i == 0 || i == 2 ? 0 : 17);
      int pid = i < 3 ? i : 2 + i * 3;
      bytes.putInt(base + at.pid(), pid);
      bytes.putInt(base + at.pid() + 4, pid);
      long parent = tasks.get(i < 3 ? 0 : 2);
      bytes.putLong(base + at.parent(), parent);
      bytes.putLong(base + at.parent() + 8, parent);
      bytes.putLong(base + at.parent() + 48, task);
      long signal = DATA + 0xe0000 + 0x100L * i;
      bytes.putLong(base + at.signal(), signal);
      link(bytes, 0, task + at.node(), signal + at.head());
      link(bytes, 0, signal + at.head(), task + at.node());
      byte[] name =
          List.of("swapper", "init", "kthreadd")
              .get(Math.min(i, 2))
              .getBytes(StandardCharsets.US_ASCII);
      bytes.put(base + at.comm(), name);
      bytes.putLong(base + at.jump() + 8, stack + 0x3000 - 8L * random.nextInt(100));
      bytes.putLong(base + at.jump() + 56, TEXT + 0x123);
    }
    var memory = new HeapMemory("kernel", Layout.LITTLE_64);
    memory.put(DATA, bytes.array());
    return new Kernel(memory, bytes, tasks.getFirst());
  }

  private static void link(ByteBuffer bytes, int offset, long from, long to) {
    bytes.putLong((int) (from + offset - DATA), to + offset);
    bytes.putLong((int) (to + offset + 8 - DATA), from + offset);
  }

  @Test
  void findsTheMembersWhereverTheyAre() {
    for (int seed = 0; seed < 50; seed++) {
      var random = new Random(seed);
      var at = Offsets.random(random);
      var types = new TypeSystem(8);
      types.add(kernel(at, 12, random).probe());
      assertThat(types.findOffset("task_struct", "comm")).as("seed %s", seed).hasValue(at.comm());
      assertThat(types.findOffset("task_struct", "tasks")).hasValue(at.tasks());
      assertThat(types.findOffset("task_struct", "pid")).hasValue(at.pid());
      assertThat(types.findOffset("task_struct", "tgid")).hasValue(at.pid() + 4);
      assertThat(types.findOffset("task_struct", "real_parent")).hasValue(at.parent());
      assertThat(types.findOffset("task_struct", "group_leader")).hasValue(at.parent() + 48);
      assertThat(types.findOffset("task_struct", "stack")).hasValue(at.stack());
      assertThat(types.findOffset("task_struct", "__state")).hasValue(0);
      assertThat(types.findOffset("task_struct", "flags")).hasValue(at.stack() + 12);
      assertThat(types.findOffset("task_struct", "exit_state")).hasValue(at.exit());
      assertThat(types.findOffset("task_struct", "mm")).hasValue(at.mm());
      assertThat(types.findOffset("task_struct", "thread_node")).hasValue(at.node());
      assertThat(types.findOffset("task_struct", "signal")).hasValue(at.signal());
      assertThat(types.findOffset("signal_struct", "thread_head")).hasValue(at.head());
      assertThat(types.findOffset("task_struct", "thread.switch_buf")).hasValue(at.jump());
      assertThat(types.ofSymbol("init_task")).isPresent();
    }
  }

  @Test
  void saysWhatItMisses() {
    var random = new Random(1);
    var at = Offsets.random(random);
    var kernel = kernel(at, 12, random);
    kernel.bytes().put((int) (kernel.init() - DATA) + at.comm(), (byte) 'x');
    assertThatThrownBy(() -> replaced(kernel).probe())
        .isInstanceOf(LookupException.class)
        .hasMessageContaining("task_struct.comm");
    var other = kernel(at, 12, random);
    // A list that does not close.
    other.bytes().putLong((int) (other.init() - DATA) + at.tasks(), DATA + 8);
    assertThatThrownBy(() -> replaced(other).probe())
        .isInstanceOf(LookupException.class)
        .hasMessageContaining("task_struct.tasks");
  }

  private static Kernel replaced(Kernel kernel) {
    var memory = new HeapMemory("kernel", Layout.LITTLE_64);
    memory.put(DATA, kernel.bytes().array());
    return new Kernel(memory, kernel.bytes(), kernel.init());
  }

  @Test
  void damagedMemoryIsNoTrouble() {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new Random(seed);
    for (int round = 0; round < 150; round++) {
      var at = Offsets.random(random);
      var kernel = kernel(at, 3 + random.nextInt(10), random);
      int wounds = 1 + random.nextInt(40);
      for (int i = 0; i < wounds; i++) {
        int place = random.nextInt(SIZE / 8) * 8;
        kernel
            .bytes()
            .putLong(place, random.nextBoolean() ? random.nextLong() : DATA + random.nextInt(SIZE));
      }
      try {
        replaced(kernel).probe();
      } catch (FathomException e) {
        assertThat(e).as("seed %s", seed).isInstanceOf(LookupException.class);
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed, e);
      }
    }
  }
}
