// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.index;

import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.MappedFile;
import dev.fathom.format.btf.Btf;
import dev.fathom.format.kallsyms.KallsymsFinder;
import dev.fathom.format.kallsyms.KallsymsPositions;
import dev.fathom.model.SymbolTable;
import dev.fathom.testkit.BtfWriter;
import dev.fathom.testkit.Fuzz;
import dev.fathom.testkit.KallsymsWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TableIndexTest {
  private static final String BUILD_ID = "69f4c0ffee";
  private static final long TEXT = 0xffffffff81000000L;

  @TempDir private Path folder;

  private static ByteSource rodata(String extra) {
    var w = new KallsymsWriter();
    for (int i = 0; i < 400; i++) {
      w.symbol('T', TEXT + 16L * i, "function_" + i);
    }
    w.symbol('D', TEXT + 0x100000, extra);
    var form = KallsymsWriter.Form.BASE_RELATIVE;
    return ByteSource.of(
        "rodata", w.write(KallsymsWriter.Layout.V6_4, form, new byte[0], new byte[0], 0).bytes());
  }

  private static KallsymsPositions positions(ByteSource memory) {
    return KallsymsFinder.find(memory, 0).orElseThrow();
  }

  private static ByteSource btf() {
    var w = new BtfWriter();
    int u32 = w.integer("unsigned int", 4, 0);
    w.struct("page", 64, 1);
    w.member("flags", u32, 0);
    w.typedef("u32", u32);
    return ByteSource.of("btf", w.bytes());
  }

  private List<Path> files() throws IOException {
    try (var paths = Files.list(folder)) {
      return paths.sorted().toList();
    }
  }

  private static void assertComplete(SymbolTable symbols) {
    for (int i = 0; i < 400; i++) {
      assertThat(symbols.first("function_" + i).orElseThrow().address()).isEqualTo(TEXT + 16L * i);
    }
    assertThat(symbols.first("function_400")).isEmpty();
    assertThat(symbols.text(TEXT + 17)).isEqualTo("function_1+1");
  }

  private static void assertComplete(Btf btf) {
    assertThat(btf.typesNamed("page")).containsExactly(2);
    assertThat(btf.typesNamed("u32")).containsExactly(3);
    assertThat(btf.typesNamed("u64")).isEmpty();
    assertThat(btf.type(3)).hasToString("Typedef[name=u32, type=1]");
  }

  @Test
  void theSecondOpeningUsesWhatTheFirstStored() throws IOException {
    var memory = rodata("jiffies");
    for (int opening = 0; opening < 2; opening++) {
      var index = TableIndex.of(folder, BUILD_ID);
      assertComplete(index.symbols(memory, positions(memory)));
      assertComplete(index.btf(btf()));
      assertThat(files())
          .extracting(p -> p.getFileName().toString())
          .containsExactly(BUILD_ID + "-btf.index", BUILD_ID + "-kallsyms.index");
    }
    // That it is used: an index that knows no name at all, with a proper fingerprint, hides them.
    var store = new IndexFolder(folder, IndexFolder.DEFAULT_LIMIT);
    long fingerprint = fingerprintOf(files().get(1));
    int[][] arrays = store.load(BUILD_ID + "-kallsyms", fingerprint).orElseThrow();
    store.store(
        BUILD_ID + "-kallsyms", fingerprint, arrays[0], new int[arrays[1].length], arrays[2]);
    assertThat(
            TableIndex.of(folder, BUILD_ID).symbols(memory, positions(memory)).first("function_1"))
        .isEmpty();
  }

  private static long fingerprintOf(Path file) throws IOException {
    return java.nio.ByteBuffer.wrap(Files.readAllBytes(file))
        .order(java.nio.ByteOrder.LITTLE_ENDIAN)
        .getLong(16);
  }

  @Test
  void anIndexOfOtherTablesIsIgnoredAndReplaced() {
    var first = rodata("jiffies");
    var second = rodata("jiffies_64");
    TableIndex.of(folder, BUILD_ID).symbols(first, positions(first));
    var symbols = TableIndex.of(folder, BUILD_ID).symbols(second, positions(second));
    assertComplete(symbols);
    assertThat(symbols.first("jiffies_64")).isPresent();
    assertThat(symbols.first("jiffies")).isEmpty();
  }

  @Test
  void aDamagedIndexIsIgnored() throws IOException {
    var memory = rodata("jiffies");
    var index = TableIndex.of(folder, BUILD_ID);
    index.symbols(memory, positions(memory));
    index.btf(btf());
    var btfFile = files().get(0);
    var symbolsFile = files().get(1);
    byte[] goodBtf = Files.readAllBytes(btfFile);
    Fuzz.run(
        goodBtf,
        100,
        bytes -> {
          write(btfFile, bytes);
          assertComplete(TableIndex.of(folder, BUILD_ID).btf(btf()));
        });
    Fuzz.run(
        Files.readAllBytes(symbolsFile),
        50,
        bytes -> {
          write(symbolsFile, bytes);
          assertComplete(TableIndex.of(folder, BUILD_ID).symbols(memory, positions(memory)));
        });
    assertComplete(TableIndex.of(folder, BUILD_ID).btf(btf()));
    assertThat(Files.readAllBytes(btfFile)).as("made anew").isEqualTo(goodBtf);
  }

  private static void write(Path file, byte[] bytes) {
    try {
      Files.write(file, bytes);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void onlyABuildIdMakesAFileName() throws IOException {
    for (var id : new String[] {"", "../../etc/passwd", "69G4", "/", "a".repeat(200)}) {
      assertComplete(TableIndex.of(folder, id).btf(btf()));
    }
    assertComplete(TableIndex.none().btf(btf()));
    assertThat(files()).isEmpty();
  }

  @Test
  void theOldestFilesMakeRoom() throws IOException {
    var small = new IndexFolder(folder, 10_000);
    for (int i = 0; i < 20; i++) {
      small.store("kernel" + i, i, new int[500]);
      var stored = folder.resolve("kernel" + i + ".index");
      Files.setLastModifiedTime(
          stored, FileTime.from(Instant.now().minusSeconds(1_000_000 - 1000L * i)));
    }
    assertThat(files())
        .extracting(p -> p.getFileName().toString())
        .containsExactly("kernel16.index", "kernel17.index", "kernel18.index", "kernel19.index");
    assertThat(small.load("kernel17", 17)).isPresent();
    assertThat(Files.getLastModifiedTime(folder.resolve("kernel17.index")).toInstant())
        .as("a use keeps it young")
        .isAfter(Instant.now().minusSeconds(1000));
    small.store("kernel20", 20, new int[500]);
    assertThat(small.load("kernel17", 17)).isPresent();
    assertThat(small.load("kernel16", 16)).isEmpty();
    assertThat(small.load("kernel17", 18)).as("another fingerprint").isEmpty();
    small.store("huge", 1, new int[5000]);
    assertThat(small.problem()).hasValueSatisfying(p -> assertThat(p).contains("above the limit"));
    assertThat(files()).hasSize(4);
  }

  @Test
  void aFolderThatCannotBeIsNoError() throws IOException {
    var file = Files.createFile(folder.resolve("file"));
    var store = new IndexFolder(file.resolve("below"), 1 << 20);
    assertComplete(TableIndex.of(store, BUILD_ID).btf(btf()));
    assertThat(store.problem()).isPresent();
  }

  @Test
  void anOldFileInAFolderThatMayNotBeChangedIsUsed() throws IOException {
    new IndexFolder(folder, 10_000).store("kernel", 7, new int[] {42});
    Files.setLastModifiedTime(
        folder.resolve("kernel.index"), FileTime.from(Instant.now().minusSeconds(1_000_000)));
    var readOnly =
        new IndexFolder(
            folder,
            10_000,
            (path, _) -> {
              throw new AccessDeniedException(path.toString());
            });
    assertThat(readOnly.load("kernel", 7))
        .hasValueSatisfying(a -> assertThat(a[0][0]).isEqualTo(42));
    assertThat(readOnly.problem()).isPresent();
  }

  @Test
  void anIndexOfAnotherVersionIsMadeAnew() throws IOException {
    var store = new IndexFolder(folder, IndexFolder.DEFAULT_LIMIT);
    TableIndex.of(store, BUILD_ID, 99).btf(btf());
    byte[] other = Files.readAllBytes(files().getFirst());
    assertComplete(TableIndex.of(store, BUILD_ID).btf(btf()));
    assertThat(Files.readAllBytes(files().getFirst())).isNotEqualTo(other);
  }

  @Test
  void tablesLargerThanAnyKernelsAreRefusedInOneLine() throws IOException {
    var file = folder.resolve("huge");
    try (var channel = FileChannel.open(file, CREATE_NEW, WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[1]), 3L << 30);
    }
    try (var huge = MappedFile.open(file)) {
      assertThatThrownBy(() -> TableIndex.of(folder, BUILD_ID).btf(huge))
          .isInstanceOf(BadDataException.class);
    }
  }

  @Test
  void manyAtOnceDoNotDisturbEachOther() throws Exception {
    var memory = rodata("jiffies");
    var positions = positions(memory);
    try (var threads = Executors.newFixedThreadPool(8)) {
      var done = new ArrayList<Future<?>>();
      for (int i = 0; i < 64; i++) {
        done.add(
            threads.submit(
                () -> assertComplete(TableIndex.of(folder, BUILD_ID).symbols(memory, positions))));
      }
      for (var one : done) {
        one.get();
      }
    }
    assertThat(files()).hasSize(1);
  }
}
