// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.Cell;
import dev.fathom.base.EvalException;
import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.base.TargetException;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.PageClasses;
import dev.fathom.kernel.Progress;
import dev.fathom.model.Layout;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.session.Session;
import dev.fathom.session.dump.DumpOptions.Compression;
import dev.fathom.session.dump.DumpOptions.Exclusion;
import dev.fathom.session.dump.DumpOptions.Format;
import dev.fathom.target.Capability;
import dev.fathom.target.Cpu;
import dev.fathom.target.KernelNotes;
import dev.fathom.target.Live;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.Target;
import dev.fathom.target.TargetInfo;
import dev.fathom.target.snapshot.Snapshot;
import dev.fathom.testkit.tiny.TinyLinux;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class DumpJobTest {
  private static final int PAGE = 4096;
  private static final byte[] VMCOREINFO =
      "OSRELEASE=6.6.6-test\nPAGESIZE=4096\nNUMBER(phys_base)=4096\n"
          .getBytes(StandardCharsets.US_ASCII);

  @TempDir private Path folder;

  /** Page number and content; a page without content is not in the machine's dump. */
  private record Page(long number, Optional<byte[]> bytes) {
    boolean zero() {
      return bytes.isPresent() && Arrays.equals(bytes.get(), new byte[PAGE]);
    }
  }

  private static List<Page> pages(long seed) {
    var random = new Random(seed);
    var pages = new ArrayList<Page>();
    for (long start : new long[] {1, 900, 40_000, 0x10_0000}) {
      for (int i = 0; i < 700; i++) {
        var bytes = new byte[PAGE];
        switch (random.nextInt(5)) {
          case 0 -> random.nextBytes(bytes);
          case 1 -> Arrays.fill(bytes, 100 + random.nextInt(1000), PAGE, (byte) random.nextInt());
          case 2 -> {
            for (int at = 0; at < PAGE; at++) {
              bytes[at] = (byte) (at * 7 / (1 + i % 60));
            }
          }
          default -> {} // zeros
        }
        boolean missing = random.nextInt(20) == 0;
        pages.add(new Page(start + i, missing ? Optional.empty() : Optional.of(bytes)));
      }
    }
    return pages;
  }

  private static Snapshot machine(List<Page> pages) {
    var machine = new Snapshot("machine").vmcoreinfo(VMCOREINFO).release("6.6.6-test");
    var run = new ByteArrayOutputStream();
    long next = 0;
    for (Page page : pages) {
      if (page.number() != next || page.bytes().isEmpty()) {
        machine.memory(next * PAGE - run.size(), run.toByteArray());
        run.reset();
      }
      page.bytes().ifPresent(run::writeBytes);
      if (page.bytes().isEmpty()) {
        machine.missing(Range.of(page.number() * PAGE, PAGE));
      }
      next = page.number() + 1;
    }
    machine.memory(next * PAGE - run.size(), run.toByteArray());
    var registers =
        Registers.none(X86_64.INSTANCE.registers())
            .with(X86_64.RIP, 0xffffffff81000010L)
            .with(X86_64.RSP, 0xffffc90000001000L)
            .with(X86_64.CR3, 0x2000)
            .with(X86_64.GS_BASE, 0xffff888001000000L)
            .with(X86_64.IDT_BASE, 0xfffffe0000000000L)
            .with(X86_64.IDT_LIMIT, 0xfff);
    return machine.cpu(registers).cpu(registers.with(X86_64.RIP, 0x1234));
  }

  private static DumpOptions options(Format format, Compression compression, Exclusion... left) {
    return new DumpOptions(format, compression, false, Set.of(left), false, false);
  }

  private static DumpOptions resuming(DumpOptions o) {
    return new DumpOptions(o.format(), o.compression(), false, o.excluded(), true, false);
  }

  private static DumpJob job(Target machine, DumpOptions options) {
    return job(machine, options, Progress.NONE);
  }

  private static DumpJob job(Target machine, DumpOptions options, Progress progress) {
    return new DumpJob(machine, Optional.empty(), options, progress, _ -> {});
  }

  private static DumpSource open(Path file) {
    var options = new KernelOptions(Optional.empty(), true, Progress.NONE);
    return DumpSource.open(List.of(file), options, _ -> {});
  }

  static Stream<Arguments> flavours() {
    var all = new ArrayList<Arguments>();
    for (boolean flattened : new boolean[] {false, true}) {
      for (boolean dropZeros : new boolean[] {false, true}) {
        all.add(Arguments.of(Format.ELF, Compression.NONE, flattened, dropZeros));
        for (var compression : Compression.values()) {
          all.add(Arguments.of(Format.KDUMP, compression, flattened, dropZeros));
        }
      }
    }
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("flavours")
  void everyPageComesBack(
      Format format, Compression compression, boolean flattened, boolean dropZeros) {
    var pages = pages(1);
    Set<Exclusion> left = dropZeros ? Set.of(Exclusion.ZERO) : Set.of();
    Path file = folder.resolve("dump");

    boolean dropped = dropZeros && format == Format.ELF;
    var report =
        job(machine(pages), new DumpOptions(format, compression, flattened, left, false, false))
            .toFile(file);

    assertThat(FileOutput.part(file)).doesNotExist();
    long zeros = pages.stream().filter(Page::zero).count();
    long missing = pages.stream().filter(p -> p.bytes().isEmpty()).count();
    assertThat(report.pages()).isEqualTo(pages.size());
    assertThat(report.zero()).isEqualTo(zeros);
    assertThat(report.missing()).isEqualTo(missing);
    assertThat(report.stored()).isEqualTo(pages.size() - missing - (dropped ? zeros : 0));
    try (var dump = open(file)) {
      assertThat(dump.target().warnings()).isEmpty();
      checkPages(dump.target(), pages, dropped);
      checkNotes(dump.target());
    }
  }

  private static void checkPages(Target dump, List<Page> pages, boolean dropZeros) {
    var memory = dump.find(PhysicalMemory.class).orElseThrow();
    for (Page page : pages) {
      long address = page.number() * PAGE;
      if (page.bytes().isEmpty() || (dropZeros && page.zero())) {
        assertThat(memory.at(address)).isEqualTo(Readability.NOT_DUMPED);
      } else {
        assertThat(memory.bytes(address, PAGE)).isEqualTo(page.bytes().get());
      }
    }
    assertThat(memory.at(0)).isEqualTo(Readability.UNMAPPED);
    assertThat(memory.at(800 * PAGE)).isEqualTo(Readability.UNMAPPED);
    assertThat(memory.at(50_000L * PAGE)).isEqualTo(Readability.UNMAPPED);
  }

  private static void checkNotes(Target dump) {
    assertThat(dump.find(KernelNotes.class).orElseThrow().vmcoreinfo().orElseThrow())
        .isEqualTo(VMCOREINFO);
    assertThat(dump.cpus()).hasSize(2);
    var first = dump.cpus().getFirst().registers();
    assertThat(first.pc()).hasValue(0xffffffff81000010L);
    assertThat(first.sp()).hasValue(0xffffc90000001000L);
    assertThat(first.get(X86_64.CR3)).hasValue(0x2000);
    assertThat(first.get(X86_64.GS_BASE)).hasValue(0xffff888001000000L);
    assertThat(first.get(X86_64.IDT_BASE)).hasValue(0xfffffe0000000000L);
    assertThat(dump.cpus().get(1).registers().pc()).hasValue(0x1234);
  }

  @Test
  void aStreamIsTheSameAsAFlattenedFile() throws IOException {
    var pages = pages(2);
    var out = new ByteArrayOutputStream();
    job(machine(pages), options(Format.KDUMP, Compression.LZO)).toStream("stream", out);
    Path file = Files.write(folder.resolve("stream"), out.toByteArray());
    try (var dump = open(file)) {
      assertThat(dump.target().info().format()).isEqualTo("flattened kdump-compressed v6, lzo");
      checkPages(dump.target(), pages, false);
    }
  }

  static Stream<Arguments> resumable() {
    return Stream.of(
        Arguments.of(options(Format.KDUMP, Compression.ZSTD)),
        Arguments.of(options(Format.KDUMP, Compression.NONE, Exclusion.ZERO)),
        Arguments.of(options(Format.ELF, Compression.NONE)),
        Arguments.of(options(Format.ELF, Compression.NONE, Exclusion.ZERO)));
  }

  @ParameterizedTest
  @MethodSource("resumable")
  void anInterruptedDumpGoesOnToTheSameBytes(DumpOptions options) throws IOException {
    var pages = pages(3);
    var machine = machine(pages);
    Path whole = folder.resolve("whole");
    job(machine, options).toFile(whole);
    Path file = folder.resolve("dump");
    int interruptions = 0;
    boolean done = false;
    while (!done) {
      var now = interruptions == 0 ? options : resuming(options);
      try {
        job(machine, now, interruptingAtSecondBatch()).toFile(file);
        done = true;
      } catch (EvalException _) {
        interruptions++;
        assertThat(file).doesNotExist();
        assertThat(FileOutput.part(file)).exists();
      }
    }
    assertThat(interruptions).isGreaterThan(2);
    assertThat(withoutTime(file)).isEqualTo(withoutTime(whole));
    assertThat(FileOutput.part(file)).doesNotExist();
  }

  private static Progress interruptingAtSecondBatch() {
    var batches = new int[1];
    return (what, _, _) -> {
      if (what.startsWith("writing") && ++batches[0] == 2) {
        throw new EvalException("interrupted");
      }
    };
  }

  /** kdump's header has the time of the dump. */
  private static byte[] withoutTime(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    if (bytes[0] == 'K') {
      Arrays.fill(bytes, 408, 416, (byte) 0);
    }
    return bytes;
  }

  @Test
  void aDumpOfAnotherMachineOrKindIsNotGoneOnWith() throws IOException {
    Path file = folder.resolve("dump");
    var options = options(Format.KDUMP, Compression.ZSTD);
    assertThatThrownBy(
            () -> job(machine(pages(4)), options, interruptingAtSecondBatch()).toFile(file))
        .isInstanceOf(EvalException.class);
    var other = resuming(options(Format.KDUMP, Compression.ZLIB));
    assertThatThrownBy(() -> job(machine(pages(4)), other).toFile(file))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("other options");
    var smaller = machine(pages(4).subList(0, 700));
    assertThatThrownBy(() -> job(smaller, resuming(options)).toFile(file))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("of another machine");
    Files.write(FileOutput.part(file), new byte[100]);
    assertThatThrownBy(() -> job(machine(pages(4)), resuming(options)).toFile(file))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("nothing in it can be gone on with");
  }

  @Test
  void anotherDumpOfTheSameBootIsNotGoneOnWith() {
    var options = options(Format.KDUMP, Compression.ZSTD);
    var random = new Random(8);
    var pages = pages(8);
    var later = new ArrayList<Page>();
    for (Page page : pages) {
      var bytes = page.bytes().map(byte[]::clone);
      bytes.filter(_ -> random.nextInt(4) == 0).ifPresent(b -> b[5]++);
      later.add(new Page(page.number(), bytes));
    }
    var otherCpu = machine(pages).cpu(Registers.none(X86_64.INSTANCE.registers()));
    var others = Map.of("pages", machine(later), "cpu", otherCpu);
    others.forEach(
        (name, other) -> {
          Path file = folder.resolve(name);
          assertThatThrownBy(
                  () -> job(machine(pages), options, interruptingAtSecondBatch()).toFile(file))
              .isInstanceOf(EvalException.class);
          assertThatThrownBy(() -> job(other, resuming(options)).toFile(file))
              .isInstanceOf(TargetException.class)
              .hasMessageContaining("of another machine or moment");
          job(machine(pages), resuming(options)).toFile(file);
          assertThat(file).exists();
        });
  }

  @Test
  void aMachineOfAbsurdSizeIsRefused() {
    var absurd = new Snapshot("absurd").vmcoreinfo(VMCOREINFO);
    absurd.memory(PAGE, new byte[PAGE]).missing(Range.of(1L << 62, 1L << 61));
    assertThatThrownBy(
            () -> job(absurd, options(Format.ELF, Compression.NONE)).toFile(folder.resolve("x")))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("which no machine has");
  }

  @ParameterizedTest
  @MethodSource("dead")
  void aTargetThatIsGoneLeavesNoDump(DumpOptions options, int reads) {
    Path file = folder.resolve("dump");
    assertThatThrownBy(() -> job(new Dying(machine(pages(9)), reads), options).toFile(file))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("the target is gone");
    assertThat(file).doesNotExist();
    var stream = new ByteArrayOutputStream();
    assertThatThrownBy(
            () -> job(new Dying(machine(pages(9)), reads), options).toStream("stream", stream))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("the target is gone");
  }

  /** While the pages are looked at, while they are written, and between the last and the end. */
  static Stream<Arguments> dead() {
    var kdump = options(Format.KDUMP, Compression.ZSTD);
    var elf = options(Format.ELF, Compression.NONE);
    int all = new Dying(machine(pages(9)), Integer.MAX_VALUE).readsOf(kdump);
    return Stream.of(
        Arguments.of(kdump, 0),
        Arguments.of(kdump, all / 2),
        Arguments.of(kdump, all),
        Arguments.of(elf, 0),
        Arguments.of(elf, all / 2),
        Arguments.of(elf, all + all / 2));
  }

  /** A live machine that is gone after so many reads. */
  private static final class Dying implements Target, Live, PhysicalMemory {
    private final Snapshot machine;
    private final PhysicalMemory memory;
    private int left;

    Dying(Snapshot machine, int reads) {
      this.machine = machine;
      this.memory = machine.find(PhysicalMemory.class).orElseThrow();
      this.left = reads;
    }

    int readsOf(DumpOptions options) {
      int before = left;
      job(this, options).toStream("nowhere", OutputStream.nullOutputStream());
      return before - left;
    }

    @Override
    public State state() {
      return left > 0 ? State.STOPPED : State.GONE;
    }

    @Override
    public long epoch() {
      return 0;
    }

    @Override
    public int read(long address, MemorySegment into) {
      if (left == 0) {
        return 0;
      }
      left--;
      return memory.read(address, into);
    }

    @Override
    public Readability at(long address) {
      return left == 0 ? Readability.ERROR : memory.at(address);
    }

    @Override
    public List<Range> ranges() {
      return memory.ranges();
    }

    @Override
    public String name() {
      return memory.name();
    }

    @Override
    public Layout layout() {
      return memory.layout();
    }

    @Override
    public TargetInfo info() {
      return machine.info();
    }

    @Override
    public List<Cpu> cpus() {
      return machine.cpus();
    }

    @Override
    public <C extends Capability> Optional<C> find(Class<C> capability) {
      return capability.isInstance(this)
          ? Optional.of(capability.cast(this))
          : machine.find(capability);
    }

    @Override
    public List<String> warnings() {
      return List.of();
    }

    @Override
    public void close() {}
  }

  @Test
  void goingOnWithALiveTargetIsSaidToBeOfTwoMoments() {
    var options = options(Format.KDUMP, Compression.ZSTD);
    Path file = folder.resolve("dump");
    var live = new Dying(machine(pages(10)), Integer.MAX_VALUE);
    assertThatThrownBy(() -> job(live, options, interruptingAtSecondBatch()).toFile(file))
        .isInstanceOf(EvalException.class);
    var warnings = new ArrayList<String>();
    new DumpJob(live, Optional.empty(), resuming(options), Progress.NONE, warnings::add)
        .toFile(file);
    assertThat(warnings)
        .singleElement()
        .asString()
        .matches("pages below 0x[0-9a-f]+ are as they were when .* the others as they are now");
  }

  @Test
  void whatCannotBeGoneOnWithDoesNotStay() {
    var machine = machine(pages(11));
    Path file = folder.resolve("dump");
    Progress looking =
        (what, _, _) -> {
          if (what.startsWith("looking at all")) {
            throw new EvalException("interrupted");
          }
        };
    var elf = options(Format.ELF, Compression.NONE);
    assertThatThrownBy(() -> job(machine, elf, looking).toFile(file))
        .isInstanceOf(EvalException.class);
    assertThat(FileOutput.part(file)).doesNotExist();
    var flattened = new DumpOptions(Format.KDUMP, Compression.ZSTD, true, Set.of(), false, false);
    assertThatThrownBy(() -> job(machine, flattened, interruptingAtSecondBatch()).toFile(file))
        .isInstanceOf(EvalException.class);
    assertThat(FileOutput.part(file)).doesNotExist();
    assertThatThrownBy(() -> job(machine, elf, interruptingAtSecondBatch()).toFile(file))
        .isInstanceOf(EvalException.class);
    assertThatThrownBy(() -> job(machine, resuming(elf), interruptingAtSecondBatch()).toFile(file))
        .isInstanceOf(EvalException.class);
    assertThat(FileOutput.part(file)).exists();
    job(machine, resuming(elf)).toFile(file);
    assertThat(file).exists();
  }

  @ParameterizedTest
  @EnumSource(Format.class)
  void whatWasLeftOutIsKnownAfterGoingOn(Format format) {
    var machine = machine(pages(12));
    var options = options(format, Compression.NONE, Exclusion.USER, Exclusion.FREE);
    Path file = folder.resolve("dump");
    var kernel = Optional.of(kernel());
    assertThatThrownBy(
            () ->
                new DumpJob(machine, kernel, options, interruptingAtSecondBatch(), _ -> {})
                    .toFile(file))
        .isInstanceOf(EvalException.class);
    var report = job(machine, kernel, resuming(options)).toFile(file);
    // Of the 2800 pages every fourth is a user's and none is free.
    assertThat(report.excluded())
        .isEqualTo(Map.of(PageClasses.Use.USER, 700L, PageClasses.Use.FREE, 0L));
  }

  /** A kernel that knows nothing but what its pages are used for. */
  private static Kernel kernel() {
    var classes =
        new PageClasses() {
          @Override
          public Set<Use> known() {
            return Set.of(Use.USER, Use.FREE);
          }

          @Override
          public List<String> remarks() {
            return List.of();
          }

          @Override
          public void read(long first, byte[] into) {
            for (int i = 0; i < into.length; i++) {
              var use = (first + i) % 4 == 0 ? Use.USER : Use.KERNEL;
              into[i] = (byte) use.ordinal();
            }
          }
        };
    InvocationHandler answers =
        (_, method, _) ->
            switch (method.getName()) {
              case "os" -> "Linux";
              case "facts" -> List.of();
              case "pageClasses" -> Optional.of(classes);
              case "dumpNotes", "imagePlace" -> Optional.empty();
              default -> throw new IllegalStateException(method.getName());
            };
    return (Kernel)
        Proxy.newProxyInstance(
            Kernel.class.getClassLoader(), new Class<?>[] {Kernel.class}, answers);
  }

  @Test
  void filesThatAreThereStay() throws IOException {
    Path file = Files.writeString(folder.resolve("dump"), "precious");
    var machine = machine(pages(5));
    var options = options(Format.KDUMP, Compression.ZSTD);
    assertThatThrownBy(() -> job(machine, options).toFile(file))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("-f replaces it");
    assertThat(file).hasContent("precious");
    var force = new DumpOptions(Format.KDUMP, Compression.ZSTD, false, Set.of(), false, true);
    job(machine, force).toFile(file);
    assertThat(Files.size(file)).isGreaterThan(PAGE);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    Path other = folder.resolve("other");
    Files.writeString(FileOutput.part(other), "half");
    assertThatThrownBy(() -> job(machine, options).toFile(other))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("--resume");
    assertThatThrownBy(() -> job(machine, resuming(options)).toFile(folder.resolve("none")))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("nothing to resume");
    assertThatThrownBy(() -> job(machine, options).toFile(folder.resolve("no/such/folder")))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("no such folder");
  }

  @Test
  void aFullDiskIsOneLine() {
    var full =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("No space left on device");
          }
        };
    assertThatThrownBy(
            () ->
                job(machine(pages(6)), options(Format.KDUMP, Compression.ZSTD))
                    .toStream("disk", full))
        .isInstanceOf(TargetException.class)
        .hasMessage("disk: No space left on device");
  }

  @Test
  void aKernelIsFoundAgainAtItsOwnAddresses() throws IOException {
    var tiny = new TinyLinux();
    Path source = Files.write(folder.resolve("tiny"), tiny.vmcore());
    var options = new KernelOptions(Optional.empty(), true, Progress.NONE);
    for (Format format : Format.values()) {
      Path file = folder.resolve(format.name());
      var warnings = new ArrayList<String>();
      try (var machine = DumpSource.open(List.of(source), options, warnings::add)) {
        var how = options(format, Compression.NONE, Exclusion.USER);
        new DumpJob(machine.target(), machine.kernel(), how, Progress.NONE, warnings::add)
            .toFile(file);
      }
      try (var session = Session.open(List.of(file), options)) {
        assertThat(session.kernel().warnings()).isEmpty();
        assertThat(session.kernel().tasks(_ -> {})).hasSameSizeAs(tiny.tasks());
        if (format == Format.ELF) {
          var virtual = session.target().find(dev.fathom.target.VirtualMemory.class).orElseThrow();
          assertThat(virtual.segments().getFirst().virtual().start()).isEqualTo(TinyLinux.TEXT);
          assertThat(virtual.at(TinyLinux.DIRECT_MAP + 0x20_0000)).isNotNull();
        }
      }
      // The made-up kernel has no struct page: nothing is left out, and that is said.
      assertThat(warnings).singleElement().asString().contains("not left out");
    }
  }

  @Test
  void aDumpWithoutVmcoreinfoGetsOne() throws IOException {
    var tiny = new TinyLinux().withoutVmcoreinfo();
    Path source = Files.write(folder.resolve("tiny"), tiny.vmcore());
    var options = new KernelOptions(Optional.empty(), true, Progress.NONE);
    Path file = folder.resolve("dump");
    try (var machine = DumpSource.open(List.of(source), options, _ -> {})) {
      assertThat(machine.target().find(KernelNotes.class).orElseThrow().vmcoreinfo()).isEmpty();
      job(machine.target(), machine.kernel(), options(Format.KDUMP, Compression.ZLIB)).toFile(file);
    }
    try (var session = Session.open(List.of(file), options)) {
      assertThat(session.kernel().facts())
          .filteredOn(fact -> fact.key().equals("found_by"))
          .extracting(fact -> fact.value())
          .containsExactly(Cell.text("VMCOREINFO"));
      assertThat(session.kernel().tasks(_ -> {})).hasSameSizeAs(tiny.tasks());
    }
  }

  private static DumpJob job(Target target, Optional<Kernel> kernel, DumpOptions options) {
    return new DumpJob(target, kernel, options, Progress.NONE, _ -> {});
  }
}
