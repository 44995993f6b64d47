// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.TargetException;
import dev.fathom.testkit.process.CProgram;
import dev.fathom.testkit.process.Subject;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Memory with and without the help of the pagemap is the same. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class PagemapMemoryTest {
  private static final int PAGE = 4096;
  private static final int PAGES = 8192;

  /** Pages touched one by one, in runs and not at all; then a mapping that cannot be read. */
  private static final String SOURCE =
      """
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include <sys/mman.h>
      #include <unistd.h>
      int main(int argc, char **argv) {
        size_t page = 4096, pages = 8192;
        char *all = mmap(0, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        char *shared = mmap(0, pages * page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        char *closed = mmap(0, pages * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        madvise(all, pages * page, MADV_NOHUGEPAGE);
        srand(atoi(argv[1]));
        for (size_t at = 0; at < pages; at += rand() % 40) {
          size_t run = rand() % 20;
          for (size_t i = 0; i < run && at < pages; i++, at++)
            memset(all + at * page, 1 + rand() % 255, page);
        }
        memset(shared, 7, pages * page);
        madvise(shared, pages * page, MADV_DONTNEED);
        printf("%lx %lx %lx\\n", (long) all, (long) shared, (long) closed);
        fflush(stdout);
        for (;;) pause();
      }
      """;

  private final long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
  private final Random random = new Random(seed);
  private Subject subject;
  private final List<Long> mappings = new ArrayList<>();

  @BeforeEach
  void start(@TempDir Path folder) {
    var program = CProgram.compile(folder, "toucher", SOURCE);
    subject =
        Subject.start(
            List.of(program.file().toString(), Integer.toString(random.nextInt(1 << 30))));
    for (String word : subject.line().split(" ")) {
      mappings.add(Long.parseLong(word, 16));
    }
  }

  @AfterEach
  void end() {
    subject.close();
  }

  @Test
  void allIsReadAsItIs() {
    try (HostMemory plain = ProcMemory.open(subject.pid());
        HostMemory helped = HostMemory.open(subject.pid())) {
      assertThat(helped).isInstanceOf(PagemapMemory.class);
      for (int i = 0; i < 200; i++) {
        // Across the end of a mapping too, and not at pages alone.
        long start = mappings.get(random.nextInt(3)) + (long) random.nextInt(PAGES + 20) * PAGE;
        start += random.nextInt(4) == 0 ? random.nextInt(PAGE) : 0;
        var expected = new byte[1 + random.nextInt(PAGE * (i % 2 == 0 ? 100 : PAGES))];
        var found = new byte[expected.length];
        new Random(i).nextBytes(found);
        int bytes = helped.read(start, MemorySegment.ofArray(found));
        var what = "seed " + seed + ", read " + i + " at 0x" + Long.toHexString(start);
        assertThat(bytes).as(what).isEqualTo(plain.read(start, MemorySegment.ofArray(expected)));
        assertThat(java.util.Arrays.equals(found, 0, bytes, expected, 0, bytes)).as(what).isTrue();
      }
    }
  }

  @Test
  void whatWasNeverTouchedStaysSo() throws IOException {
    long untouched = present();
    try (HostMemory helped = HostMemory.open(subject.pid())) {
      var all = MemorySegment.ofArray(new byte[PAGES * PAGE]);
      assertThat(helped.read(mappings.getFirst(), all)).isEqualTo(PAGES * PAGE);
    }
    // Short gaps are read with what is around them.
    assertThat(present()).as("seed " + seed).isLessThan(untouched + PAGES / 4);
    try (HostMemory plain = ProcMemory.open(subject.pid())) {
      plain.read(mappings.getFirst(), MemorySegment.ofArray(new byte[PAGES * PAGE]));
    }
    assertThat(present()).isEqualTo(PAGES);
  }

  /** As after a dump by the hypervisor itself. Frames are told to root alone. */
  @Test
  void whatWasOnlyReadIsNotReadAgain() throws IOException {
    long written = present();
    var expected = new byte[PAGES * PAGE];
    try (HostMemory plain = ProcMemory.open(subject.pid())) {
      plain.read(mappings.getFirst(), MemorySegment.ofArray(expected));
    }
    assertThat(present()).isEqualTo(PAGES);
    var read = new AtomicLong();
    var counted = new Counted(ProcMemory.open(subject.pid()), read);
    try (HostMemory helped = PagemapMemory.over(subject.pid(), counted)) {
      var found = new byte[expected.length];
      assertThat(helped.read(mappings.getFirst(), MemorySegment.ofArray(found)))
          .isEqualTo(expected.length);
      assertThat(found).as("seed " + seed).isEqualTo(expected);
    }
    // Some kernels give each page that is read one of its own, and whoever may not know is told 0.
    boolean told = frames().size() < PAGES && frames().size() > 1;
    long most = told ? written + PAGES / 4 : PAGES;
    assertThat(read.get() / PAGE).as("seed " + seed).isLessThanOrEqualTo(most);
  }

  private record Counted(HostMemory memory, AtomicLong bytes) implements HostMemory {
    @Override
    public int read(long address, MemorySegment into) {
      int count = memory.read(address, into);
      bytes.addAndGet(count);
      return count;
    }

    @Override
    public boolean ended() {
      return memory.ended();
    }

    @Override
    public void close() {
      memory.close();
    }
  }

  @Test
  void aProcessThatHasEndedIsAnError() throws InterruptedException {
    try (HostMemory helped = HostMemory.open(subject.pid())) {
      subject.signal("KILL");
      var all = MemorySegment.ofArray(new byte[PAGES * PAGE]);
      while (!subject.status("State").isEmpty()) {
        Thread.sleep(10);
      }
      assertThatThrownBy(() -> helped.read(mappings.getFirst(), all))
          .isInstanceOf(TargetException.class)
          .hasMessage("process " + subject.pid() + " has ended");
      assertThat(helped.ended()).isTrue();
    }
  }

  /** How many pages of the first mapping are present. */
  private long present() throws IOException {
    long found = 0;
    for (var entries = pagemap(); entries.hasRemaining(); ) {
      found += entries.getLong() < 0 ? 1 : 0;
    }
    return found;
  }

  /** The frames of all pages, each once. */
  private Set<Long> frames() throws IOException {
    var found = new HashSet<Long>();
    for (var entries = pagemap(); entries.hasRemaining(); ) {
      found.add(entries.getLong() & (1L << 55) - 1);
    }
    return found;
  }

  private ByteBuffer pagemap() throws IOException {
    var entries = ByteBuffer.allocate(PAGES * Long.BYTES).order(ByteOrder.nativeOrder());
    var path = Path.of("/proc/" + subject.pid() + "/pagemap");
    try (var pagemap = FileChannel.open(path, StandardOpenOption.READ)) {
      pagemap.read(entries, mappings.getFirst() / PAGE * Long.BYTES);
    }
    return entries.flip();
  }
}
