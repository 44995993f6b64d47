// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.btf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.testkit.BtfWriter;
import dev.fathom.testkit.Fuzz;
import dev.fathom.testkit.LittleEndian;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

final class BtfTest {
  private static Btf parse(BtfWriter writer) {
    return parse(writer.bytes());
  }

  private static Btf parse(byte[] bytes) {
    return Btf.parse(ByteSource.of("btf", bytes));
  }

  /** One of everything. */
  private static BtfWriter everything() {
    var w = new BtfWriter();
    int u32 = w.integer("unsigned int", 4, 0); // 1
    int i64 = w.integer("long long int", 8, 1); // 2
    int bool = w.integer("_Bool", 1, 4); // 3
    int character = w.integer("char", 1, 1 | 2); // 4
    int pointer = w.pointer(character); // 5
    int array = w.array(u32, u32, 7); // 6
    w.struct("pair", 16, 2); // 7
    w.member("first", u32, 0).member("next", pointer, 64);
    w.structWithBitFields("flags", 4, 3); // 8
    w.bitField("whole", u32, 0, 0).bitField("low", u32, 3, 5).bitField("high", u32, 8, 24);
    w.union("either", 8, 2); // 9
    w.member("a", u32, 0).member("b", i64, 0);
    w.enumeration("state", 4, false, 2); // 10
    w.value("OFF", 0).value("ALL", -1);
    w.enumeration("sign", 4, true, 1); // 11
    w.value("MINUS", -1);
    w.forward("task_struct", false); // 12
    w.forward("value", true); // 13
    w.typedef("u32", u32); // 14
    w.volatileOf(u32); // 15
    w.constOf(u32); // 16
    w.restrictOf(pointer); // 17
    int prototype = w.prototype(i64, 3); // 18
    w.parameter("format", pointer).parameter("n", u32).parameter("", 0);
    w.function("printk", prototype, 1); // 19
    int variable = w.variable("runqueues", array, 1); // 20
    w.section(".data..percpu", 4096, 1); // 21
    return finish(w, bool, variable);
  }

  private static BtfWriter finish(BtfWriter w, int bool, int variable) {
    w.variableAt(variable, 64, 28); // of 21
    w.floating("double", 8); // 22
    w.declarationTag("user", variable, -1); // 23
    w.typeTag("rcu", bool); // 24
    w.enumeration64("huge", 8, false, 2); // 25
    w.value64("MAX", -1).value64("BIT40", 1L << 40);
    return w;
  }

  @Test
  void decodesEveryKind() {
    var btf = parse(everything());
    assertThat(btf.firstId()).isEqualTo(1);
    assertThat(btf.endId()).isEqualTo(26);
    assertThat(btf.type(0)).isEqualTo(new BtfType.Void());
    assertThat(btf.type(1))
        .isEqualTo(new BtfType.Int("unsigned int", 4, false, false, false, 0, 32));
    assertThat(btf.type(2))
        .isEqualTo(new BtfType.Int("long long int", 8, true, false, false, 0, 64));
    assertThat(btf.type(3)).isEqualTo(new BtfType.Int("_Bool", 1, false, false, true, 0, 8));
    assertThat(btf.type(4)).isEqualTo(new BtfType.Int("char", 1, true, true, false, 0, 8));
    assertThat(btf.type(5)).isEqualTo(new BtfType.Ptr(4));
    assertThat(btf.type(6)).isEqualTo(new BtfType.Array(1, 1, 7));
    assertThat(btf.type(7))
        .isEqualTo(
            new BtfType.Composite(
                false,
                "pair",
                16,
                List.of(
                    new BtfType.Member("first", 1, 0, 0), new BtfType.Member("next", 5, 64, 0))));
    assertThat(btf.type(8))
        .isEqualTo(
            new BtfType.Composite(
                false,
                "flags",
                4,
                List.of(
                    new BtfType.Member("whole", 1, 0, 0),
                    new BtfType.Member("low", 1, 3, 5),
                    new BtfType.Member("high", 1, 8, 24))));
    assertThat(btf.type(9))
        .isEqualTo(
            new BtfType.Composite(
                true,
                "either",
                8,
                List.of(new BtfType.Member("a", 1, 0, 0), new BtfType.Member("b", 2, 0, 0))));
    assertThat(btf.type(10))
        .isEqualTo(
            new BtfType.Enum(
                "state",
                4,
                false,
                List.of(
                    new BtfType.Enumerator("OFF", 0), new BtfType.Enumerator("ALL", 0xffffffffL))));
    assertThat(btf.type(11))
        .isEqualTo(new BtfType.Enum("sign", 4, true, List.of(new BtfType.Enumerator("MINUS", -1))));
    assertThat(btf.type(12)).isEqualTo(new BtfType.Fwd(false, "task_struct"));
    assertThat(btf.type(13)).isEqualTo(new BtfType.Fwd(true, "value"));
    assertThat(btf.type(14)).isEqualTo(new BtfType.Typedef("u32", 1));
    assertThat(btf.type(15)).isEqualTo(new BtfType.Qualified(BtfType.Qualifier.VOLATILE, 1));
    assertThat(btf.type(16)).isEqualTo(new BtfType.Qualified(BtfType.Qualifier.CONST, 1));
    assertThat(btf.type(17)).isEqualTo(new BtfType.Qualified(BtfType.Qualifier.RESTRICT, 5));
    var prototype = (BtfType.FuncProto) btf.type(18);
    assertThat(prototype.returnType()).isEqualTo(2);
    assertThat(prototype.params())
        .containsExactly(
            new BtfType.Param("format", 5), new BtfType.Param("n", 1), new BtfType.Param("", 0));
    assertThat(prototype.variadic()).isTrue();
    assertThat(btf.type(19)).isEqualTo(new BtfType.Func("printk", 18, 1));
    assertThat(btf.type(20)).isEqualTo(new BtfType.Var("runqueues", 6, 1));
    assertThat(btf.type(21))
        .isEqualTo(
            new BtfType.DataSec(".data..percpu", 4096, List.of(new BtfType.SecInfo(20, 64, 28))));
    assertThat(btf.type(22)).isEqualTo(new BtfType.Float("double", 8));
    assertThat(btf.type(23)).isEqualTo(new BtfType.DeclTag("user", 20, -1));
    assertThat(btf.type(24)).isEqualTo(new BtfType.TypeTag("rcu", 3));
    assertThat(btf.type(25))
        .isEqualTo(
            new BtfType.Enum(
                "huge",
                8,
                false,
                List.of(
                    new BtfType.Enumerator("MAX", -1), new BtfType.Enumerator("BIT40", 1L << 40))));
  }

  @Test
  void findsTypesAndSymbolsByName() {
    var w = everything();
    w.struct("u32", 4, 0); // a tag may have a typedef's name
    w.function("u32", 18, 0);
    var btf = parse(w);
    assertThat(btf.typesNamed("pair")).containsExactly(7);
    assertThat(btf.typesNamed("u32")).containsExactly(14, 26);
    assertThat(btf.symbolsNamed("u32")).containsExactly(27);
    assertThat(btf.typesNamed("printk")).isEmpty();
    assertThat(btf.symbolsNamed("printk")).containsExactly(19);
    assertThat(btf.symbolsNamed("runqueues")).containsExactly(20);
    assertThat(btf.typesNamed("pai")).isEmpty();
    assertThat(btf.typesNamed("pairs")).isEmpty();
    assertThat(btf.typesNamed("")).isEmpty();
  }

  @Test
  void splitBtfContinuesItsBase() {
    var kernel = everything();
    var module = BtfWriter.split(kernel);
    int own = module.struct("pair", 24, 1);
    module.member("first", 1, 0);
    module.typedef("own_t", own);
    var base = parse(kernel);
    var split = Btf.parseSplit(ByteSource.of("btf:module", module.bytes()), base);
    assertThat(split.firstId()).isEqualTo(26);
    assertThat(split.endId()).isEqualTo(28);
    assertThat(split.base()).contains(base);
    assertThat(split.type(26))
        .isEqualTo(
            new BtfType.Composite(
                false, "pair", 24, List.of(new BtfType.Member("first", 1, 0, 0))));
    assertThat(split.type(27)).isEqualTo(new BtfType.Typedef("own_t", 26));
    assertThat(split.type(14)).isEqualTo(base.type(14));
    assertThat(split.name(14)).isEqualTo("u32");
    assertThat(split.kind(14)).isEqualTo(Btf.TYPEDEF);
    assertThat(split.typesNamed("pair")).as("named by a string of the base").containsExactly(26);
    assertThat(split.typesNamed("own_t")).containsExactly(27);
    assertThat(split.typesNamed("u32")).isEmpty();
    assertThatThrownBy(() -> base.type(26)).isInstanceOf(BadDataException.class);
  }

  @Test
  void readsBigEndianSections() {
    byte[] little = everything().bytes();
    var big = new byte[little.length];
    var from = ByteBuffer.wrap(little).order(ByteOrder.LITTLE_ENDIAN);
    var to = ByteBuffer.wrap(big);
    to.putShort(from.getShort()).put(from.get()).put(from.get());
    int strings = 24 + from.getInt(16);
    while (from.position() < strings) {
      to.putInt(from.getInt());
    }
    to.put(from);
    assertThat(parse(big).type(8)).isEqualTo(parse(little).type(8));
  }

  @Test
  void skipsUnknownKindsWhereTheLayoutTellsTheirSize() {
    var w = new BtfWriter();
    w.record("unknown", 21, 3, false, 0);
    w.word(1).word(2).word(3).word(4);
    int after = w.integer("int", 4, 1);
    var layout = new int[22][2];
    layout[21] = new int[] {4, 4};
    var btf = parse(w.bytesWithLayout(layout));
    assertThat(btf.name(after)).isEqualTo("int");
    assertThatThrownBy(() -> btf.type(1)).hasMessageContaining("kind 21");
    assertThatThrownBy(() -> parse(w))
        .isInstanceOf(BadDataException.class)
        .hasMessageStartingWith("btf: at offset 0x18")
        .hasMessageContaining("unknown kind 21");
  }

  @Test
  void saysWhatIsWrong() {
    byte[] good = everything().bytes();
    assertThatThrownBy(() -> parse(Arrays.copyOf(good, 10))).hasMessageContaining("24 bytes");
    assertThatThrownBy(() -> parse(new LittleEndian().u64(0).u64(0).u64(0).toByteArray()))
        .hasMessageContaining("magic is 0x0");
    assertThatThrownBy(() -> parse(Arrays.copyOf(good, good.length - 1)))
        .hasMessageContaining("strings are");
    byte[] version = good.clone();
    version[2] = 2;
    assertThatThrownBy(() -> parse(version)).hasMessageContaining("version is 2");
    byte[] cut = good.clone();
    ByteBuffer.wrap(cut).order(ByteOrder.LITTLE_ENDIAN).putInt(12, 20);
    assertThatThrownBy(() -> parse(cut)).hasMessageContaining("cut off");
    var badName = new BtfWriter();
    badName.record("x", 4, 0, false, 8);
    byte[] bytes = badName.bytes();
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(24, 0x7000);
    var btf = parse(bytes);
    assertThatThrownBy(() -> btf.name(1)).hasMessageContaining("0x7000");
    assertThat(btf.typesNamed("x")).isEmpty();
    assertThatThrownBy(() -> btf.type(-5)).isInstanceOf(BadDataException.class);
    assertThatThrownBy(() -> btf.type(2)).hasMessageContaining("0 to 1");
  }

  @Test
  void survivesDamage() {
    var kernel = everything();
    var base = parse(kernel);
    var module = BtfWriter.split(kernel);
    module.struct("pair", 24, 1);
    module.member("first", 1, 0).member("x", 2, 0);
    Fuzz.run(kernel.bytes(), 3000, bytes -> use(parse(bytes)));
    Fuzz.run(
        module.bytes(), 1000, bytes -> use(Btf.parseSplit(ByteSource.of("split", bytes), base)));
  }

  private static void use(Btf btf) {
    btf.typesNamed("pair");
    btf.symbolsNamed("printk");
    BadDataException bad = null;
    for (int id = 0; id < btf.endId(); id++) {
      try {
        assertThat(btf.type(id)).isNotNull();
        btf.name(id);
      } catch (BadDataException e) {
        bad = e; // one bad type spoils no other
      }
    }
    if (bad != null) {
      throw bad;
    }
  }
}
