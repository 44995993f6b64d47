// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class ByteCursorTest {
  private static ByteCursor cursor(ByteOrder order, int... bytes) {
    var copy = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      copy[i] = (byte) bytes[i];
    }
    return ByteSource.of("test", copy).cursor(0, order);
  }

  @Test
  void numbersInBothOrders() {
    var little =
        cursor(ByteOrder.LITTLE_ENDIAN, 0x80, 1, 2, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5, 6, 7, 8);
    assertThat(little.u8()).isEqualTo(0x80);
    assertThat(little.u16()).isEqualTo(0x201);
    assertThat(little.u32()).isEqualTo(0xffffffffL);
    assertThat(little.u64()).isEqualTo(0x0807060504030201L);
    assertThat(cursor(ByteOrder.BIG_ENDIAN, 1, 2, 3, 4).u32()).isEqualTo(0x01020304L);
  }

  @Test
  void leb128AsInTheDwarfStandard() {
    assertThat(cursor(ByteOrder.LITTLE_ENDIAN, 0xe5, 0x8e, 0x26).uleb()).isEqualTo(624485);
    assertThat(cursor(ByteOrder.LITTLE_ENDIAN, 0xc0, 0xbb, 0x78).sleb()).isEqualTo(-123456);
    assertThat(cursor(ByteOrder.LITTLE_ENDIAN, 0x7f).sleb()).isEqualTo(-1);
    var longest = cursor(ByteOrder.LITTLE_ENDIAN, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1);
    assertThat(longest.uleb()).isEqualTo(-1L);
    var tooLong =
        cursor(ByteOrder.LITTLE_ENDIAN, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1);
    assertThatThrownBy(tooLong::uleb)
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("64 bits");
  }

  @Test
  void endsAreErrorsThatNameSourceAndOffset() {
    var cursor = cursor(ByteOrder.LITTLE_ENDIAN, 'a', 'b', 'c');
    assertThatThrownBy(cursor::u32)
        .isInstanceOf(BadDataException.class)
        .hasMessage("test: at offset 0x0: needs 4 bytes, but only 3 are left");
    assertThatThrownBy(() -> cursor.cString(10))
        .hasMessageContaining("without a terminating NUL within 3 bytes");
    assertThatThrownBy(() -> cursor.seek(4)).isInstanceOf(BadDataException.class);
    assertThatThrownBy(() -> cursor.skip(-1)).isInstanceOf(BadDataException.class);
  }

  @Test
  void stringsEndAtTheirNul() {
    var cursor = cursor(ByteOrder.LITTLE_ENDIAN, 'a', 'b', 0, 'c', 0);
    assertThat(cursor.cString(10)).isEqualTo("ab");
    assertThat(cursor.cString(10)).isEqualTo("c");
    assertThat(cursor.remaining()).isZero();
  }
}
