// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.objects;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.Range;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Layout;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.type.TypeName;
import dev.fathom.target.ProcessView;
import dev.fathom.testkit.ElfWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Types of a process whose objects come and go. */
class ObjectTypesTest {
  /** Opened and closed in a loop, a library takes no more memory with each time. */
  @Test
  void whatIsGoneIsForgotten() {
    var view = new TestView();
    var memory = new HeapMemory("process", Layout.LITTLE_64);
    var warnings = new ArrayList<String>();
    var objects = new LoadedObjects(view, memory, X86_64.INSTANCE, warnings::add);
    var types = new ObjectTypes(objects, Optional.empty(), warnings::add);
    for (int i = 1; i <= 50; i++) {
      long at = 0x10000L * i;
      memory.put(at, new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1, 0});
      view.mappings =
          List.of(new ProcessView.Mapped(new Range(at, at + 0x1000), "r-xp", 0, "/lib/here.so"));
      objects.forget();
      assertThat(objects.all()).hasSize(1);
      assertThat(types.find(TypeName.struct("none"))).isEmpty();
      assertThat(types.kept()).isEqualTo(1);
    }
  }

  /** As lld lays a small program out: the file's first page has all of its segments. */
  @Test
  void aFileWhoseFirstPageIsMappedForEachSegmentIsOneObject() {
    var view = new TestView();
    var memory = new HeapMemory("process", Layout.LITTLE_64);
    var elf = new ElfWriter().type(3);
    for (int i = 0; i < 4; i++) {
      elf.segment(1, 4, 0x1040L * i, new byte[16], 16);
    }
    byte[] page = Arrays.copyOf(elf.build(), 0x1000);
    var mappings = new ArrayList<ProcessView.Mapped>();
    // Twice: loaded again, it is another object.
    for (long start : new long[] {0x10000, 0x14000, 0x30000}) {
      for (int i = 0; i < 4; i++) {
        long at = start + 0x1000L * i;
        memory.put(at, page);
        mappings.add(new ProcessView.Mapped(new Range(at, at + 0x1000), "r-xp", 0, "/bin/small"));
      }
    }
    view.mappings = mappings;
    var objects = new LoadedObjects(view, memory, X86_64.INSTANCE, _ -> {});

    assertThat(objects.all())
        .extracting(o -> o.start() + "-" + o.end())
        .containsExactly("65536-81920", "81920-98304", "196608-212992");
  }
}
