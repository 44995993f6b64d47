// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.kallsyms;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.ByteSource;
import dev.fathom.format.kallsyms.ExportedSymbols.Export;
import dev.fathom.testkit.Fuzz;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExportedSymbolsTest {
  private static final long START = 0xffff_8000_0801_0000L;
  private static final int TABLE = 0x100;
  private static final int STRINGS = 0x800;
  private static final int DATA = 0x1000;
  private static final int COUNT = 20;

  /** Twenty symbols, of which number 7 is init_task, in entries of 8 or 12 bytes. */
  private static byte[] image(int size) {
    var image = ByteBuffer.allocate(0x2000).order(ByteOrder.LITTLE_ENDIAN);
    int text = STRINGS + 1;
    for (int i = 0; i < COUNT; i++) {
      int entry = TABLE + i * size;
      image.putInt(entry, DATA + 16 * i - entry);
      image.putInt(entry + 4, text - (entry + 4));
      byte[] name = name(i).getBytes(StandardCharsets.US_ASCII);
      image.put(text, name);
      text += name.length + 1;
    }
    return image.array();
  }

  private static String name(int i) {
    return i == 7 ? "init_task" : "symbol_" + i;
  }

  @ParameterizedTest
  @ValueSource(ints = {8, 12})
  void allAreFoundByOne(int size) {
    var expected = new ArrayList<Export>();
    for (int i = 0; i < COUNT; i++) {
      expected.add(new Export(name(i), START + DATA + 16L * i));
    }
    assertThat(ExportedSymbols.find(ByteSource.of("image", image(size)), START, "init_task"))
        .isEqualTo(expected);
  }

  /** Linkers keep a name that ends another one only once. */
  @Test
  void namesThatEndOthersAreFound() {
    var image = ByteBuffer.wrap(image(12)).order(ByteOrder.LITTLE_ENDIAN);
    int entry = TABLE + 5 * 12;
    image.putInt(entry + 4, image.getInt(entry + 4) + 2);
    var found = ExportedSymbols.find(ByteSource.of("image", image.array()), START, "init_task");
    assertThat(found).hasSize(COUNT);
    assertThat(found.get(5).name()).isEqualTo("mbol_5");
  }

  /** A name alone, as BTF has it too, is no table. */
  @Test
  void aNameAloneIsNothing() {
    var image = new byte[0x1000];
    byte[] name = "\0init_task\0".getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(name, 0, image, 0x200, name.length);
    assertThat(ExportedSymbols.find(ByteSource.of("image", image), START, "init_task")).isEmpty();
    assertThat(ExportedSymbols.find(ByteSource.of("image", new byte[3]), START, "init_task"))
        .isEmpty();
  }

  @Test
  void damagedImagesGiveNoErrors() {
    Fuzz.run(
        image(12),
        500,
        bytes -> {
          List<Export> found =
              ExportedSymbols.find(ByteSource.of("image", bytes), START, "init_task");
          found.forEach(export -> assertThat(export.name()).isNotEmpty());
        });
  }
}
