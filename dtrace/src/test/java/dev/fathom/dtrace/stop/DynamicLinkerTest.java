// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.Readability;
import dev.fathom.model.Layout;
import dev.fathom.model.Memory;
import dev.fathom.target.ProcessView;
import dev.fathom.testkit.Fuzz;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** {@code struct r_debug} of a process made of bytes. */
class DynamicLinkerTest {
  private static final long START = 0x5555_0000_0000L;
  private static final int DYNAMIC = 0x200;
  private static final int DEBUG = 0x300;

  private final ByteBuffer bytes = ByteBuffer.allocate(0x400).order(ByteOrder.LITTLE_ENDIAN);

  DynamicLinkerTest() {
    header(0, 6, 0x40); // PT_PHDR: linked at 0
    header(1, 1, 0);
    header(2, 2, DYNAMIC); // PT_DYNAMIC
    bytes.putLong(DYNAMIC, 5).putLong(DYNAMIC + 8, 0x1234);
    bytes.putLong(DYNAMIC + 16, 21).putLong(DYNAMIC + 24, START + DEBUG); // DT_DEBUG
    bytes.putInt(DEBUG, 1).putLong(DEBUG + 16, 0x7f00_0000_1000L);
  }

  private void header(int number, int type, long address) {
    bytes.putInt(0x40 + 56 * number, type).putLong(0x40 + 56 * number + 16, address);
  }

  private Optional<DynamicLinker> linker(Map<Long, Long> auxiliary) {
    var view =
        (ProcessView)
            Proxy.newProxyInstance(
                ProcessView.class.getClassLoader(),
                new Class<?>[] {ProcessView.class},
                (_, _, _) -> auxiliary);
    return DynamicLinker.of(view, new Bytes());
  }

  private Optional<DynamicLinker> linker() {
    return linker(Map.of(3L, START + 0x40, 4L, 56L, 5L, 3L));
  }

  @Test
  void itsFunctionAndItsState() {
    var linker = linker().orElseThrow();
    assertThat(linker.breakpoint()).isEqualTo(0x7f00_0000_1000L);
    assertThat(linker.isConsistent()).isTrue();
    bytes.putInt(DEBUG + 24, 1); // RT_ADD
    assertThat(linker.isConsistent()).isFalse();
  }

  @Test
  void aProgramThatIsLinkedStaticallyHasNone() {
    header(2, 4, 0);
    assertThat(linker()).isEmpty();
  }

  @Test
  void oneThatHasNotBegunIsNone() {
    bytes.putLong(DYNAMIC + 24, 0);
    assertThat(linker()).isEmpty();
    bytes.putLong(DYNAMIC + 24, START + DEBUG).putInt(DEBUG, 0);
    assertThat(linker()).isEmpty();
  }

  @Test
  void anAuxiliaryVectorThatLeadsNowhereIsNone() {
    assertThat(linker(Map.of())).isEmpty();
    assertThat(linker(Map.of(3L, 8L, 4L, 56L, 5L, 3L))).isEmpty();
    assertThat(linker(Map.of(3L, START + 0x40, 4L, 32L, 5L, 3L))).isEmpty();
    assertThat(linker(Map.of(3L, START + 0x40, 4L, 56L, 5L, -1L))).isEmpty();
  }

  @Test
  void damageIsBorne() {
    Fuzz.run(
        bytes.array().clone(),
        2000,
        damaged -> {
          bytes.put(0, damaged);
          linker().ifPresent(DynamicLinker::isConsistent);
        });
  }

  /** The bytes from {@link #START} on. */
  private final class Bytes implements Memory {
    @Override
    public String name() {
      return "bytes";
    }

    @Override
    public Layout layout() {
      return new Layout(ByteOrder.LITTLE_ENDIAN, 8);
    }

    @Override
    public int read(long address, MemorySegment into) {
      long at = address - START;
      if (at < 0 || at >= bytes.capacity()) {
        return 0;
      }
      int count = (int) Math.min(into.byteSize(), bytes.capacity() - at);
      MemorySegment.copy(MemorySegment.ofArray(bytes.array()), at, into, 0, count);
      return count;
    }

    @Override
    public Readability at(long address) {
      return address - START >= 0 && address - START < bytes.capacity()
          ? Readability.READABLE
          : Readability.UNMAPPED;
    }
  }
}
