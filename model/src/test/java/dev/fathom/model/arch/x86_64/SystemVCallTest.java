// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.x86_64;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.model.type.Access;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.Member;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.TypedefType;
import dev.fathom.model.type.VoidType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/**
 * Places by the AMD64 supplement's rules; cli's ProcessCallsTest runs compilers' code with them.
 */
final class SystemVCallTest {
  private static final IntType INT = new IntType("int", 4, true, false);
  private static final IntType LONG = new IntType("long", 8, true, false);
  private static final IntType WIDE = new IntType("__int128", 16, true, false);
  private static final FloatType FLOAT = new FloatType("float", 4);
  private static final FloatType DOUBLE = new FloatType("double", 8);
  private static final FloatType X87 = new FloatType("long double", 16);
  private static final FloatType QUAD = new FloatType("__float128", 16);

  private static CompositeType struct(long bytes, Member... members) {
    return new CompositeType(CompositeType.Kind.STRUCT, "s", bytes, () -> List.of(members));
  }

  private static Member at(CType type, long offset) {
    return new Member("m" + offset, type, 8 * offset, 0);
  }

  /** As {@code r0 x0 s16}: words, vectors, bytes on the stack. */
  private static String places(CType... types) {
    var arguments = new ArrayList<SystemVCall.Argument>();
    for (var type : types) {
      var bytes = new byte[(int) type.bytes()];
      Arrays.fill(bytes, (byte) (arguments.size() + 1));
      arguments.add(new SystemVCall.Argument(type, bytes));
    }
    var call = SystemVCall.of(arguments);
    var text = new StringBuilder();
    for (long word : call.words()) {
      text.append('r').append(word & 0xff).append(' ');
    }
    for (byte[] vector : call.vectors()) {
      text.append('x').append(vector[0]).append(vector.length == 16 ? "w " : " ");
    }
    return text.append("s").append(call.stack().length).toString();
  }

  @Test
  void smallValuesAreInRegistersByTheirParts() {
    assertThat(places(INT, DOUBLE, LONG, FLOAT)).isEqualTo("r1 r3 x2 x4 s0");
    assertThat(places(struct(8, at(INT, 0), at(INT, 4)))).isEqualTo("r1 s0");
    assertThat(places(struct(16, at(DOUBLE, 0), at(LONG, 8)))).isEqualTo("r1 x1 s0");
    assertThat(places(struct(8, at(FLOAT, 0), at(FLOAT, 4)))).isEqualTo("x1 s0");
    assertThat(places(struct(8, at(FLOAT, 0), at(INT, 4)))).isEqualTo("r1 s0");
    assertThat(places(struct(12, at(new ArrayType(() -> FLOAT, OptionalLong.of(3)), 0))))
        .isEqualTo("x1 x1 s0");
    assertThat(places(WIDE, QUAD)).isEqualTo("r1 r1 x2w s0");
    assertThat(places(struct(0), INT)).isEqualTo("r2 s0");
    assertThat(places(struct(1), INT)).isEqualTo("r2 s0"); // an empty class
    var bits = new Member("b", LONG, 60, 20);
    assertThat(places(struct(16, at(DOUBLE, 0), bits))).isEqualTo("r1 r1 s0");
  }

  @Test
  void theRestIsOnTheStack() {
    assertThat(places(struct(24, at(LONG, 0), at(LONG, 8), at(LONG, 16)), INT)).isEqualTo("r2 s24");
    assertThat(places(X87, INT)).isEqualTo("r2 s16");
    assertThat(places(struct(16, at(X87, 0)))).isEqualTo("s16");
    assertThat(places(struct(9, at(new IntType("char", 1, true, true), 0), at(LONG, 1))))
        .isEqualTo("s16"); // packed
    assertThat(places(LONG, LONG, LONG, LONG, LONG, LONG, INT, WIDE, INT))
        .isEqualTo("r1 r2 r3 r4 r5 r6 s40"); // 8, to 16, 16, 8
    // What does not fit as a whole leaves the last register to the next one.
    var two = struct(16, at(LONG, 0), at(LONG, 8));
    assertThat(places(LONG, LONG, LONG, LONG, LONG, two, LONG)).isEqualTo("r1 r2 r3 r4 r5 r7 s16");
    var doubles = new CType[10];
    Arrays.fill(doubles, DOUBLE);
    assertThat(places(doubles)).isEqualTo("x1 x2 x3 x4 x5 x6 x7 x8 s16");
  }

  @Test
  void resultsAreWhereTheyBelong() {
    var mixed = struct(16, at(DOUBLE, 0), at(LONG, 8));
    var v0 = new byte[16];
    Arrays.fill(v0, (byte) 9);
    var vectors = List.of(v0, new byte[16]);
    assertThat(SystemVCall.result(mixed)).isEqualTo(SystemVCall.Result.REGISTERS);
    assertThat(SystemVCall.usesVectors(mixed)).isTrue();
    assertThat(SystemVCall.collect(mixed, List.of(0x0102L, 3L), vectors))
        .containsExactly(9, 9, 9, 9, 9, 9, 9, 9, 2, 1, 0, 0, 0, 0, 0, 0);
    assertThat(SystemVCall.collect(INT, List.of(0x1_0000_0005L, 3L), List.of()))
        .containsExactly(5, 0, 0, 0);
    assertThat(SystemVCall.collect(QUAD, List.of(0L, 0L), vectors)).containsOnly(9).hasSize(16);
    assertThat(SystemVCall.collect(VoidType.VOID, List.of(1L, 2L), List.of())).isEmpty();
    assertThat(SystemVCall.result(X87)).isEqualTo(SystemVCall.Result.FLOATING);
    assertThat(SystemVCall.result(struct(24, at(mixed, 0)))).isEqualTo(SystemVCall.Result.MEMORY);
    var complex =
        new TypedefType(
            "complex long double",
            () ->
                new CompositeType(
                    CompositeType.Kind.STRUCT, "", 32, () -> List.of(at(X87, 0), at(X87, 16))));
    assertThat(SystemVCall.result(complex)).isEqualTo(SystemVCall.Result.COMPLEX);
  }

  private static CompositeType holder(CompositeType.Method method) {
    return new CompositeType(
        CompositeType.Kind.CLASS,
        "app::Held",
        8,
        () -> List.of(at(LONG, 0)),
        () -> new CompositeType.ClassParts(List.of(), List.of(), List.of(), List.of(method)),
        true);
  }

  /** The Itanium C++ ABI's classes that are not trivial for the purposes of calls (3.1.1). */
  @Test
  void classesThatCopyThemselvesAreInMemory() {
    var named = new CompositeType(CompositeType.Kind.CLASS, "app::Held", 8, List::of);
    var reference = new PointerType(PointerType.Kind.REFERENCE, 8, () -> named);
    var copying =
        new FunctionType(
            () -> VoidType.VOID,
            () ->
                List.of(
                    new FunctionType.Parameter("this", LONG),
                    new FunctionType.Parameter("", reference)),
            false);
    var plain = new FunctionType(() -> VoidType.VOID, List::of, false);
    for (var method :
        List.of(
            new CompositeType.Method("Held", copying, Access.PUBLIC, false, false),
            new CompositeType.Method("~Held", plain, Access.PUBLIC, false, false),
            new CompositeType.Method("go", plain, Access.PUBLIC, true, false))) {
      var type = holder(method);
      assertThat(SystemVCall.result(type)).isEqualTo(SystemVCall.Result.MEMORY);
      assertThatThrownBy(() -> places(type)).hasMessageContaining("use a pointer");
    }
    var made = new CompositeType.Method("Held", plain, Access.PUBLIC, false, false);
    assertThat(places(holder(made))).isEqualTo("r1 s0");
  }

  @Test
  void whatCannotBePassedIsTold() {
    var opaque = new OpaqueType("struct far");
    assertThatThrownBy(() -> SystemVCall.result(opaque)).hasMessageContaining("struct far");
    assertThatThrownBy(() -> places(struct(8, at(LONG, 8)))).hasMessageContaining("outside");
    var endless = new ArrayType(() -> struct(0), OptionalLong.of(1L << 40));
    assertThatThrownBy(() -> places(struct(8, at(endless, 0)))).hasMessageContaining("parts");
    var self = new CompositeType[1];
    self[0] = new CompositeType(CompositeType.Kind.STRUCT, "s", 8, () -> List.of(at(self[0], 0)));
    assertThatThrownBy(() -> places(self[0])).hasMessageContaining("parts");
    var huge = new ArrayType(() -> LONG, OptionalLong.of(1 << 14));
    assertThatThrownBy(() -> places(struct(1 << 17, at(huge, 0)))).hasMessageContaining("65536");
  }
}
