// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.objects;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.EvalException;
import dev.fathom.base.Range;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Layout;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.ProcessView.Mapped;
import dev.fathom.testkit.ElfWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Where threads keep what each has for itself, of processes that are written by hand. */
class ThreadStorageTest {
  private static final int LOAD = 1;
  private static final int DYNAMIC = 2;
  private static final int TLS = 7;
  private static final int X86 = 62;
  private static final int ARM = 183;

  private static final long PROGRAM = 0x10000;
  private static final long LIBRARY = 0x20000;
  private static final long LINKER = 0x30000;
  private static final long DATA = 0x40000;
  private static final long POINTER = 0x50000;

  private final HeapMemory memory = new HeapMemory("process", Layout.LITTLE_64);
  private final TestView view = new TestView();

  private static byte[] words(long... values) {
    var bytes = ByteBuffer.allocate(values.length * 8).order(ByteOrder.LITTLE_ENDIAN);
    for (long value : values) {
      bytes.putLong(value);
    }
    return bytes.array();
  }

  /** A program with 0x14 bytes for each thread at 0x28, and a library with 0x10. */
  private ThreadStorage process(Architecture architecture, int machine, String linker) {
    var program =
        new ElfWriter()
            .type(3)
            .machine(machine)
            .segment(LOAD, 5, 0, new byte[16], 0x1000)
            .segment(TLS, 4, 0x28, new byte[8], 0x14)
            .segment(DYNAMIC, 4, 0x800, new byte[16], 16);
    var library =
        new ElfWriter()
            .type(3)
            .machine(machine)
            .segment(LOAD, 5, 0, new byte[16], 0x1000)
            .segment(TLS, 4, 0x100, new byte[8], 0x10);
    var other = new ElfWriter().type(3).machine(machine).segment(LOAD, 5, 0, new byte[16], 0x1000);
    var start = Arrays.copyOf(program.build(), 0x1000);
    // DT_DEBUG, which the dynamic linker has filled in.
    System.arraycopy(words(21, DATA, 0, 0), 0, start, 0x800, 32);
    memory.put(PROGRAM, start);
    memory.put(LIBRARY, Arrays.copyOf(library.build(), 0x1000));
    memory.put(LINKER, Arrays.copyOf(other.build(), 0x1000));
    memory.put(DATA, words(1, DATA + 0x100));
    // The link maps: the address that is added, the name, the dynamic segment, the next one.
    memory.put(DATA + 0x100, words(PROGRAM, 0, PROGRAM + 0x800, DATA + 0x200));
    memory.put(DATA + 0x200, words(LINKER, 0, LINKER + 0x800, DATA + 0x300));
    memory.put(DATA + 0x300, words(LIBRARY, 0, LIBRARY + 0x800, 0));
    view.mappings =
        List.of(mapped(PROGRAM, "/bin/p"), mapped(LIBRARY, "/lib/own.so"), mapped(LINKER, linker));
    view.auxiliary = Map.of(9L, PROGRAM + 0x10);
    var objects = new LoadedObjects(view, memory, architecture, _ -> {});
    return new ThreadStorage(objects, memory, architecture);
  }

  private static Mapped mapped(long start, String name) {
    return new Mapped(new Range(start, start + 0x1000), "r-xp", 0, name);
  }

  private static Registers thread(Architecture architecture) {
    var file = architecture.registers();
    return Registers.none(file).with(file.threadPointer().orElseThrow(), POINTER);
  }

  @Test
  void theProgramsLieBelowTheThreadPointerOfX86() {
    var storage = process(X86_64.INSTANCE, X86, "/lib64/ld-linux-x86-64.so.2");
    // 0x14 bytes end at most at the pointer, and lie as the segment does: at 8 of 16.
    assertThat(storage.address(PROGRAM, 4, thread(X86_64.INSTANCE))).isEqualTo(POINTER - 0x18 + 4);
  }

  @Test
  void theProgramsLieBehindTwoWordsOfArm() {
    var storage = process(Aarch64.INSTANCE, ARM, "/lib/ld-linux-aarch64.so.1");
    assertThat(storage.address(PROGRAM, 4, thread(Aarch64.INSTANCE))).isEqualTo(POINTER + 0x18 + 4);
  }

  /** gcc's split DWARF has the address by the link where others have the offset. */
  @Test
  void anAddressByTheLinkIsTaken() {
    var storage = process(X86_64.INSTANCE, X86, "/lib64/ld-linux-x86-64.so.2");
    assertThat(storage.address(PROGRAM, 0x2c, thread(X86_64.INSTANCE)))
        .isEqualTo(POINTER - 0x18 + 4);
    assertThatThrownBy(() -> storage.address(PROGRAM, 0x40, thread(X86_64.INSTANCE)))
        .isInstanceOf(EvalException.class)
        .hasMessageContaining("they take 0x14 bytes, and this one would be at 0x40");
  }

  @Test
  void librariesOfMuslAreNumberedAsTheyWereLoaded() {
    var storage = process(Aarch64.INSTANCE, ARM, "/lib/ld-musl-aarch64.so.1");
    memory.put(POINTER - 8, words(DATA + 0x400));
    memory.put(DATA + 0x400, words(2, 0x60000, 0x70000));
    assertThat(storage.address(LIBRARY, 8, thread(Aarch64.INSTANCE))).isEqualTo(0x70008);
  }

  @Test
  void whatCannotBeToldSaysWhy() {
    var storage = process(X86_64.INSTANCE, X86, "/lib64/ld-linux-x86-64.so.2");
    assertThatThrownBy(() -> storage.address(LIBRARY, 8, thread(X86_64.INSTANCE)))
        .hasMessage(
            "cannot find the thread-local variables of own.so: the C library does not tell where"
                + " they are");
    assertThatThrownBy(() -> storage.address(LINKER, 8, thread(X86_64.INSTANCE)))
        .hasMessageContaining("its file does not say that it has any");
    assertThatThrownBy(
            () -> storage.address(PROGRAM, 0, Registers.none(X86_64.INSTANCE.registers())))
        .hasMessageContaining("the thread's $fs_base is not known here");
    assertThatThrownBy(() -> storage.address(0x90000, 0, thread(X86_64.INSTANCE)))
        .hasMessageContaining("no object is loaded at 0x90000");
  }
}
