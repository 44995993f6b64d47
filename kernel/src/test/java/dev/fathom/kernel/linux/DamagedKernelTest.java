// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import static org.assertj.core.api.Assertions.fail;

import dev.fathom.base.FathomException;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.Walker;
import dev.fathom.model.Value;
import dev.fathom.target.Target;
import dev.fathom.testkit.Fuzz;
import java.util.Optional;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A kernel whose memory is damaged, in every way of looking at it: it may answer or say why not,
 * but not hang nor let another exception out. {@code -Dfathom.fuzz.seed=SEED} replays a failure,
 * {@code -Dfathom.fuzz.rounds=N} multiplies the inputs.
 */
class DamagedKernelTest {
  private static final int INPUTS = 150;
  private static final int CHANGES = 24;

  @ParameterizedTest
  @EnumSource
  void neverHangsNorLetsForeignExceptionsOut(SyntheticKernel.Era era) {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    int rounds = Integer.getInteger("fathom.fuzz.rounds", 1);
    var synthetic = new SyntheticKernel(era, 4);
    byte[] ram = synthetic.ram.bytes();
    int[] used = used(ram);
    for (int input = 0; input < INPUTS * rounds; input++) {
      var random = new Random(seed + input);
      var places = new int[1 + random.nextInt(CHANGES)];
      var before = new byte[places.length];
      for (int i = 0; i < places.length; i++) {
        places[i] = used[random.nextInt(used.length)] + random.nextInt(8);
        before[i] = ram[places[i]];
        ram[places[i]] =
            (byte)
                (random.nextBoolean()
                    ? random.nextInt(256)
                    : ram[places[i]] ^ 1 << random.nextInt(8));
      }
      long start = System.nanoTime();
      var target = synthetic.target(random.nextBoolean(), synthetic.cpu(0, 0));
      try {
        use(target);
      } catch (RuntimeException | Error e) {
        throw new AssertionError("replay with -Dfathom.fuzz.seed=" + (seed + input), e);
      }
      if (System.nanoTime() - start > Fuzz.PATIENCE.toNanos()) {
        fail("took too long; replay with -Dfathom.fuzz.seed=" + (seed + input));
      }
      for (int i = places.length - 1; i >= 0; i--) {
        ram[places[i]] = before[i];
      }
    }
  }

  /** The offsets of words that are not zero. */
  private static int[] used(byte[] ram) {
    var found = new int[ram.length / 8];
    int count = 0;
    for (int at = 0; at < ram.length; at += 8) {
      boolean any = false;
      for (int i = 0; i < 8; i++) {
        any |= ram[at + i] != 0;
      }
      if (any) {
        found[count++] = at;
      }
    }
    return java.util.Arrays.copyOf(found, count);
  }

  private static void use(Target target) {
    attempt(() -> SyntheticKernel.open(target, true))
        .ifPresent(k -> k.ifPresent(DamagedKernelTest::use));
  }

  private static void use(Kernel kernel) {
    Walker.Notes notes = _ -> {};
    attempt(kernel::facts);
    attempt(kernel::panic);
    attempt(kernel::images);
    attempt(kernel::cpus);
    attempt(kernel::mappings);
    attempt(kernel::initialTask);
    attempt(() -> kernel.log(notes).count());
    var tasks = attempt(() -> kernel.tasks(notes).limit(100).toList());
    for (var task : tasks.orElseGet(java.util.List::of)) {
      attempt(() -> kernel.registersOf(task));
      attempt(() -> kernel.stack(task));
      attempt(() -> kernel.mappings(task, notes));
      attempt(() -> kernel.userSpace(task));
      attempt(() -> kernel.whatis(task.object().address() + 8));
      for (var walker : kernel.walkers()) {
        var start =
            walker.start() == Walker.Start.NONE
                ? Optional.<Value>empty()
                : Optional.of(task.object());
        attempt(() -> walker.walk(kernel.program(), start, notes).limit(1000).count());
      }
    }
    attempt(() -> kernel.whatis(0xffff_ffff_c000_0044L));
    attempt(() -> kernel.program().symbols().named("do_things"));
    attempt(() -> kernel.program().global("init_task").member("comm").string(16));
    attempt(() -> kernel.warnings());
  }

  private static <T> Optional<T> attempt(Supplier<T> action) {
    try {
      return Optional.ofNullable(action.get());
    } catch (FathomException e) {
      return Optional.empty(); // Said in one line: what is asked for.
    }
  }
}
