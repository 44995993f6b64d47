// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.Range;
import dev.fathom.testkit.Fuzz;
import dev.fathom.testkit.LittleEndian;
import org.junit.jupiter.api.Test;

/** Range lists and location lists. */
class ListsTest {
  private static final Encoding D = new Encoding(java.nio.ByteOrder.LITTLE_ENDIAN, 5, 4, 8);

  private static ByteSource source(byte[] bytes) {
    return ByteSource.of(".debug_lists", bytes);
  }

  private static long address(long index) {
    return 0x1_0000 + index * 0x100;
  }

  @Test
  void rangesOfVersion4() {
    byte[] bytes =
        new LittleEndian()
            .u64(0x10)
            .u64(0x20)
            .u64(-1)
            .u64(0x9000)
            .u64(0)
            .u64(8)
            .u64(4)
            .u64(4)
            .u64(0)
            .u64(0)
            .toByteArray();
    assertThat(RangeLists.ofRanges(source(bytes), 0, D, 0x1000))
        .containsExactly(new Range(0x1010, 0x1020), new Range(0x9000, 0x9008));
  }

  private static byte[] rnglists() {
    return new LittleEndian()
        .u8(4)
        .u8(1)
        .u8(2) // offset_pair
        .u8(1)
        .u8(3) // base_addressx
        .u8(4)
        .u8(0)
        .u8(8)
        .u8(2)
        .u8(1)
        .u8(2) // startx_endx
        .u8(3)
        .u8(5)
        .u8(16) // startx_length
        .u8(5)
        .u64(0x7000) // base_address
        .u8(4)
        .u8(1)
        .u8(2)
        .u8(6)
        .u64(0x8000)
        .u64(0x8008) // start_end
        .u8(7)
        .u64(0x9000)
        .u8(4) // start_length
        .u8(7)
        .u64(0x9000)
        .u8(0)
        .u8(0)
        .toByteArray();
  }

  @Test
  void rangesOfVersion5() {
    assertThat(RangeLists.ofRnglists(source(rnglists()), 0, D, 0x1000, ListsTest::address))
        .containsExactly(
            new Range(0x1001, 0x1002),
            new Range(0x1_0300, 0x1_0308),
            new Range(0x1_0100, 0x1_0200),
            new Range(0x1_0500, 0x1_0510),
            new Range(0x7001, 0x7002),
            new Range(0x8000, 0x8008),
            new Range(0x9000, 0x9004));
  }

  @Test
  void aListByItsNumber() {
    byte[] bytes = new LittleEndian().u32(0x11).u32(0x22).u32(0x33).toByteArray();
    assertThat(RangeLists.offsetOf(source(bytes), D, 4, 1)).isEqualTo(4 + 0x33);
    assertThatThrownBy(() -> RangeLists.offsetOf(source(bytes), D, 4, 1L << 40))
        .isInstanceOf(BadDataException.class);
  }

  private static LittleEndian lit(LittleEndian out, int number) {
    return out.u8(1).u8(0x30 + number);
  }

  private static byte[] loclists() {
    var out = new LittleEndian();
    out.u8(9).u8(1).u8(2); // view pair
    lit(out.u8(4).u8(1).u8(2), 1);
    lit(out.u8(1).u8(3).u8(4).u8(0).u8(8), 2);
    lit(out.u8(2).u8(1).u8(2), 3);
    lit(out.u8(3).u8(5).u8(16), 4);
    lit(out.u8(6).u64(0x7000).u8(4).u8(1).u8(2), 5);
    lit(out.u8(7).u64(0x8000).u64(0x8008), 6);
    lit(out.u8(8).u64(0x9000).u8(4), 7);
    lit(out.u8(5), 8);
    return out.u8(0).toByteArray();
  }

  private static long at(LocationList list, long pc) {
    return list.at(pc).orElseThrow().evaluate(new ExpressionContext() {});
  }

  @Test
  void locationsOfVersion5() {
    var list = LocationList.ofLoclists(source(loclists()), 0, D, 0x1000, ListsTest::address);
    assertThat(list.entries()).hasSize(7);
    assertThat(at(list, 0x1001)).isEqualTo(1);
    assertThat(at(list, 0x1_0307)).isEqualTo(2);
    assertThat(at(list, 0x1_01ff)).isEqualTo(3);
    assertThat(at(list, 0x1_0500)).isEqualTo(4);
    assertThat(at(list, 0x7001)).isEqualTo(5);
    assertThat(at(list, 0x8000)).isEqualTo(6);
    assertThat(at(list, 0x9003)).isEqualTo(7);
    assertThat(at(list, 0xffff)).isEqualTo(8);
  }

  @Test
  void locationsOfVersion4() {
    byte[] bytes =
        new LittleEndian()
            .u64(0x10)
            .u64(0x20)
            .u16(1)
            .u8(0x31)
            .u64(-1)
            .u64(0x9000)
            .u64(0)
            .u64(8)
            .u16(1)
            .u8(0x32)
            .u64(0)
            .u64(0)
            .toByteArray();
    var list = LocationList.ofLoc(source(bytes), 0, D, 0x1000);
    assertThat(at(list, 0x1010)).isEqualTo(1);
    assertThat(at(list, 0x9007)).isEqualTo(2);
    assertThat(list.at(0x1020)).isEmpty();
  }

  @Test
  void locationsOfSplitVersion4() {
    byte[] bytes =
        new LittleEndian()
            .u8(3)
            .u8(2)
            .u32(0x10)
            .u16(1)
            .u8(0x31)
            .u8(2)
            .u8(4)
            .u8(5)
            .u16(1)
            .u8(0x32)
            .u8(1)
            .u8(6)
            .u8(4)
            .u32(1)
            .u32(2)
            .u16(1)
            .u8(0x33)
            .u8(0)
            .toByteArray();
    var list = LocationList.ofSplitLoc(source(bytes), 0, D, 0, ListsTest::address);
    assertThat(at(list, 0x1_020f)).isEqualTo(1);
    assertThat(at(list, 0x1_0400)).isEqualTo(2);
    assertThat(at(list, 0x1_0601)).isEqualTo(3);
  }

  @Test
  void whatIsWrongIsNamed() {
    assertThatThrownBy(
            () -> RangeLists.ofRnglists(source(new byte[] {9}), 0, D, 0, ListsTest::address))
        .hasMessage(".debug_lists: at offset 0x0: unknown range list entry 0x9");
    byte[] back = new LittleEndian().u64(2).u64(1).u64(0).u64(0).toByteArray();
    assertThatThrownBy(() -> RangeLists.ofRanges(source(back), 0, D, 0))
        .hasMessageContaining("ends before it starts");
  }

  @Test
  void damagedListsAreReadOrRefused() {
    Fuzz.run(
        rnglists(),
        5000,
        bytes ->
            assertThat(RangeLists.ofRnglists(source(bytes), 0, D, 0, ListsTest::address))
                .doesNotContain(new Range(1, 1)));
    Fuzz.run(
        loclists(),
        5000,
        bytes ->
            assertThat(
                    LocationList.ofLoclists(source(bytes), 0, D, 0, ListsTest::address).entries())
                .doesNotContainNull());
    Fuzz.run(
        loclists(),
        5000,
        bytes -> assertThat(LocationList.ofLoc(source(bytes), 0, D, 0)).isNotNull());
  }
}
