// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.kallsyms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.format.kallsyms.KallsymsPositions.Addresses;
import dev.fathom.testkit.Fuzz;
import dev.fathom.testkit.KallsymsWriter;
import dev.fathom.testkit.KallsymsWriter.Form;
import dev.fathom.testkit.KallsymsWriter.Layout;
import dev.fathom.testkit.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class KallsymsTest {
  private static final long RODATA = 0xffffffff9a200000L;
  private static final long TEXT = 0xffffffff99200000L;
  private static final String[] WORDS = {
    "vfs", "read", "write", "tcp", "udp", "alloc", "free", "page", "inode", "sched", "irq", "init",
    "exit", "lock", "get", "put", "x86", "64"
  };

  private record Expected(char type, long address, String name) {}

  /** Which forms each layout was ever written in. */
  private static Stream<Arguments> layouts() {
    var all = new ArrayList<Arguments>();
    for (var layout : Layout.values()) {
      for (var form : Form.values()) {
        if ((form == Form.PLACE_RELATIVE) == (layout == Layout.V7_0)) {
          all.add(Arguments.of(layout, form));
        }
      }
    }
    return all.stream();
  }

  private static List<Expected> symbols(int count, boolean perCpu, boolean bigNames) {
    var random = new Random(count);
    var symbols = new ArrayList<Expected>();
    if (perCpu) {
      for (int i = 0; i < 20; i++) {
        symbols.add(new Expected('A', 0x1000L * i, "cpu_" + i));
      }
    }
    long address = TEXT;
    while (symbols.size() < count) {
      var name = new StringBuilder();
      for (int words = 1 + random.nextInt(4); words > 0; words--) {
        name.append(name.isEmpty() ? "" : "_").append(WORDS[random.nextInt(WORDS.length)]);
      }
      if (bigNames && random.nextInt(50) == 0) {
        while (name.length() < 300) {
          name.append((char) ('A' + random.nextInt(26))); // hardly compressible
        }
      }
      symbols.add(
          new Expected("tTdDrRbB".charAt(random.nextInt(8)), address, name + "." + symbols.size()));
      address += 16 + random.nextInt(64) * 16;
    }
    return symbols;
  }

  private static KallsymsWriter.Written write(List<Expected> symbols, Layout layout, Form form) {
    var writer = new KallsymsWriter();
    symbols.forEach(s -> writer.symbol(s.type, s.address, s.name));
    return writer.write(layout, form, rubbish(5003, 1), rubbish(3001, 2), RODATA);
  }

  private static byte[] rubbish(int length, int seed) {
    var bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static KallsymsPositions positions(KallsymsWriter.Written w, Form form) {
    Addresses addresses =
        switch (form) {
          case ABSOLUTE -> new Addresses.Absolute(w.addresses());
          case BASE_RELATIVE, BASE_RELATIVE_PERCPU ->
              new Addresses.BaseRelative(w.addresses(), w.relativeBase());
          case PLACE_RELATIVE -> new Addresses.PlaceRelative(w.addresses(), RODATA + w.addresses());
        };
    return new KallsymsPositions(w.numSyms(), w.names(), w.tokenTable(), w.tokenIndex(), addresses);
  }

  private static void assertSame(Kallsyms table, List<Expected> symbols) {
    symbols.sort(Comparator.comparing(Expected::address, Long::compareUnsigned));
    assertThat(table.count()).isEqualTo(symbols.size());
    int[] hashes = table.nameHashes();
    for (int i = 0; i < symbols.size(); i++) {
      var expected = symbols.get(i);
      assertThat(new Expected(table.type(i), table.address(i), table.name(i))).isEqualTo(expected);
      assertThat(hashes[i]).as(expected.name).isEqualTo(expected.name.hashCode());
      byte[] name = expected.name.getBytes(StandardCharsets.UTF_8);
      assertThat(hashes[i]).isEqualTo(Kallsyms.hash(name));
      assertThat(table.nameEquals(i, name)).isTrue();
      assertThat(table.nameEquals(i, (expected.name + "x").getBytes(StandardCharsets.UTF_8)))
          .isFalse();
      assertThat(table.nameEquals(i, java.util.Arrays.copyOf(name, name.length - 1))).isFalse();
      assertThat(table.nameStartsWith(i, java.util.Arrays.copyOf(name, name.length - 1))).isTrue();
      assertThat(table.nameStartsWith(i, "zz".getBytes(StandardCharsets.UTF_8))).isFalse();
    }
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void readsWhatWasWritten(Layout layout, Form form) {
    boolean perCpu = form == Form.BASE_RELATIVE_PERCPU;
    var symbols = symbols(700, perCpu, layout.compareTo(Layout.V4_20) >= 0);
    var written = write(symbols, layout, form);
    assertSame(
        Kallsyms.read(ByteSource.of("rodata", written.bytes()), positions(written, form)), symbols);
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void findsTheTablesByTheirShape(Layout layout, Form form) {
    for (int count : new int[] {300, 700, 2600}) {
      var symbols =
          symbols(count, form == Form.BASE_RELATIVE_PERCPU, layout.compareTo(Layout.V4_20) >= 0);
      var written = write(symbols, layout, form);
      var memory = ByteSource.of("rodata", written.bytes());
      assertThat(KallsymsFinder.find(memory, RODATA))
          .as("%d symbols", count)
          .contains(positions(written, form));
      assertSame(Kallsyms.read(memory, KallsymsFinder.find(memory, RODATA).orElseThrow()), symbols);
    }
  }

  @Test
  void findsNothingInMemoryWithoutTables() {
    var decoy =
        "0\0001\0002\0003\0004\0005\0006\0007\0008\0009\000".getBytes(StandardCharsets.US_ASCII);
    for (int at = 0; at < 16; at++) {
      byte[] memory = rubbish(100_000, 3);
      System.arraycopy(decoy, 0, memory, 5000 + at, decoy.length);
      assertThat(KallsymsFinder.nextDigits(MemorySegment.ofArray(memory), 0)).hasValue(5000 + at);
      assertThat(KallsymsFinder.nextDigits(MemorySegment.ofArray(memory), 5001 + at)).isEmpty();
      assertThat(KallsymsFinder.find(ByteSource.of("memory", memory), 0)).isEmpty();
    }
    assertThat(KallsymsFinder.find(ByteSource.of("memory", decoy), 0)).isEmpty();
    assertThat(KallsymsFinder.find(ByteSource.of("memory", new byte[3]), 0)).isEmpty();
  }

  @Test
  void strayTokenTablesDoNotHideTheTablesButHostilelyManyEndTheSearch() {
    var symbols = symbols(300, false, false);
    var written = write(symbols, Layout.V6_4, Form.BASE_RELATIVE);
    byte[] stray =
        java.util.Arrays.copyOfRange(
            written.bytes(), written.tokenTable(), written.tokenIndex() + 512);
    assertThat(KallsymsFinder.find(afterCopies(stray, 20, written.bytes()), RODATA)).isPresent();
    assertThat(KallsymsFinder.find(afterCopies(stray, 100, written.bytes()), RODATA)).isEmpty();
  }

  private static ByteSource afterCopies(byte[] part, int copies, byte[] rest) {
    var out = new LittleEndian();
    for (int i = 0; i < copies; i++) {
      out.bytes(part).align(8);
    }
    return ByteSource.of("memory", out.bytes(rest).toByteArray());
  }

  @Test
  void namesTheSourceAndOffsetOfWhatIsWrong() {
    var symbols = symbols(300, false, false);
    var written = write(symbols, Layout.V6_4, Form.BASE_RELATIVE);
    var good = positions(written, Form.BASE_RELATIVE);

    byte[] noSymbols = written.bytes().clone();
    ByteBuffer.wrap(noSymbols).order(ByteOrder.LITTLE_ENDIAN).putInt(written.numSyms(), 0);
    assertThatThrownBy(() -> Kallsyms.read(ByteSource.of("rodata", noSymbols), good))
        .isInstanceOf(BadDataException.class)
        .hasMessageStartingWith("rodata: at offset 0x" + Integer.toHexString(written.numSyms()))
        .hasMessageContaining("kallsyms_num_syms is 0");

    byte[] tooMany = written.bytes().clone();
    ByteBuffer.wrap(tooMany).order(ByteOrder.LITTLE_ENDIAN).putInt(written.numSyms(), 1_000_000);
    assertThatThrownBy(() -> Kallsyms.read(ByteSource.of("rodata", tooMany), good))
        .hasMessageContaining("too few");

    byte[] longName = written.bytes().clone();
    longName[written.names()] = (byte) 0xff;
    longName[written.names() + 1] = (byte) 0xff;
    assertThatThrownBy(() -> Kallsyms.read(ByteSource.of("rodata", longName), good))
        .hasMessageContaining("symbol 0 of 300");

    byte[] badToken = written.bytes().clone();
    badToken[written.tokenIndex() + 7] = (byte) 0xff;
    java.util.Arrays.fill(badToken, written.tokenTable(), written.tokenTable() + 4, (byte) 'x');
    assertThatThrownBy(() -> Kallsyms.read(ByteSource.of("rodata", badToken), good))
        .isInstanceOf(BadDataException.class);

    var outside =
        new KallsymsPositions(
            -8, good.names(), good.tokenTable(), good.tokenIndex(), good.addresses());
    assertThatThrownBy(() -> Kallsyms.read(ByteSource.of("rodata", written.bytes()), outside))
        .isInstanceOf(BadDataException.class);
  }

  @Test
  void survivesDamage() {
    var symbols = symbols(600, true, true);
    for (var layout : new Layout[] {Layout.V4_6, Layout.V6_2, Layout.V6_4}) {
      var form = Form.BASE_RELATIVE_PERCPU;
      var writer = new KallsymsWriter();
      symbols.forEach(s -> writer.symbol(s.type, s.address, s.name));
      var written = writer.write(layout, form, new byte[0], new byte[0], RODATA);
      Fuzz.run(
          written.bytes(),
          600,
          bytes -> {
            var memory = ByteSource.of("damaged", bytes);
            KallsymsFinder.find(memory, RODATA).ifPresent(p -> use(Kallsyms.read(memory, p)));
            use(Kallsyms.read(memory, positions(written, form)));
          });
    }
  }

  private static void use(Kallsyms table) {
    table.nameHashes();
    byte[] name = {'t', 'c', 'p'};
    for (int i = 0; i < table.count(); i++) {
      assertThat(table.name(i)).isNotNull();
      table.type(i);
      table.nameStartsWith(i, name);
    }
  }
}
