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
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
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
    var complex = new TypedefType("complex long double", () -> CompositeType.complex(X87));
    assertThat(SystemVCall.result(complex)).isEqualTo(SystemVCall.Result.COMPLEX);
    assertThat(SystemVCall.result(CompositeType.complex(QUAD)))
        .isEqualTo(SystemVCall.Result.MEMORY);
    // A structure that looks like one is none (3.2.3: larger than 16 bytes).
    var pair =
        new CompositeType(
            CompositeType.Kind.STRUCT, "", 32, () -> List.of(at(X87, 0), at(X87, 16)));
    assertThat(SystemVCall.result(pair)).isEqualTo(SystemVCall.Result.MEMORY);
  }

  @Test
  void vectorsAreInOneRegister() {
    var four = ArrayType.vector(() -> FLOAT, OptionalLong.of(4));
    var two = ArrayType.vector(() -> FLOAT, OptionalLong.of(2));
    assertThat(places(INT, four, two)).isEqualTo("r1 x2w x3 s0");
    assertThat(places(struct(16, at(four, 0)))).isEqualTo("x1w s0");
    assertThat(places(struct(32, at(four, 0), at(LONG, 16)))).isEqualTo("s32");
    var nine = new CType[9];
    Arrays.fill(nine, four);
    assertThat(places(nine)).endsWith("x8w s16");
    var v0 = new byte[16];
    Arrays.fill(v0, (byte) 9);
    assertThat(SystemVCall.collect(four, List.of(0L, 0L), List.of(v0, new byte[16])))
        .containsOnly(9);
    for (int count : new int[] {1, 8, 16}) {
      var other = ArrayType.vector(() -> FLOAT, OptionalLong.of(count));
      var holder = struct(4L * count, at(other, 0));
      for (var type : List.of(other, holder)) {
        assertThatThrownBy(() -> places(type)).hasMessageContaining("a vector of " + 4 * count);
        assertThatThrownBy(() -> SystemVCall.result(type)).hasMessageContaining("a vector of");
      }
    }
  }

  /** Not in the supplement, but clang's functions take it for granted. */
  @Test
  void wholeNumbersFillRegistersByTheirSign() {
    var tiny = new IntType("signed char", 1, true, true);
    var small = new IntType("short", 2, true, false);
    var plain = new IntType("unsigned short", 2, false, false);
    var arguments = new ArrayList<SystemVCall.Argument>();
    for (int round = 0; round < 3; round++) {
      arguments.add(new SystemVCall.Argument(tiny, new byte[] {-1}));
      arguments.add(new SystemVCall.Argument(small, new byte[] {-2, -1}));
      arguments.add(new SystemVCall.Argument(plain, new byte[] {-1, -1}));
    }
    var call = SystemVCall.of(arguments);
    assertThat(call.words()).containsExactly(-1L, -2L, 0xffffL, -1L, -2L, 0xffffL);
    var stack = ByteBuffer.wrap(call.stack()).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(stack.getLong(0)).isEqualTo(-1L);
    assertThat(stack.getLong(8)).isEqualTo(-2L);
    assertThat(stack.getLong(16)).isEqualTo(0xffffL);
  }

  private static CompositeType aligned(long alignment, long bytes, Member... members) {
    var passing = new CompositeType.Passing(Optional.empty(), OptionalLong.of(alignment));
    return new CompositeType(
        CompositeType.Kind.STRUCT,
        "s",
        bytes,
        () -> List.of(members),
        () -> new CompositeType.ClassParts(List.of(), List.of(), List.of(), List.of(), passing),
        false);
  }

  @Test
  void theStackIsAlignedAsTypesAskFor() {
    var three = struct(24, at(LONG, 0), at(LONG, 8), at(LONG, 16));
    var asked = aligned(16, 32, at(LONG, 0), at(LONG, 8), at(LONG, 16));
    assertThat(places(three, three)).isEqualTo("s48");
    assertThat(places(three, asked)).isEqualTo("s64"); // 24, to 32, 32
    assertThat(places(three, struct(32, at(asked, 0)))).isEqualTo("s64");
    // Packed: what is in it stands anywhere, and so does it.
    var packed = struct(24, at(LONG, 0), at(X87, 8));
    assertThat(places(three, packed)).isEqualTo("s48");
    assertThat(places(three, struct(32, at(LONG, 0), at(X87, 16)))).isEqualTo("s64");
    var far = aligned(32, 32, at(LONG, 0));
    assertThatThrownBy(() -> places(far)).hasMessageContaining("aligned to more than 16 bytes");
    assertThat(SystemVCall.result(far)).isEqualTo(SystemVCall.Result.MEMORY);
    assertThatThrownBy(() -> SystemVCall.result(aligned(128, 128, at(LONG, 0))))
        .hasMessageContaining("aligned to more than 64 bytes");
  }

  private static CompositeType holder(String name, CompositeType.Method... methods) {
    return holder(Optional.empty(), name, methods);
  }

  private static CompositeType holder(
      Optional<Boolean> byValue, String name, CompositeType.Method... methods) {
    return new CompositeType(
        CompositeType.Kind.CLASS,
        name,
        8,
        () -> List.of(at(LONG, 0)),
        () ->
            new CompositeType.ClassParts(
                List.of(),
                List.of(),
                List.of(),
                List.of(methods),
                new CompositeType.Passing(byValue, OptionalLong.empty())),
        true);
  }

  private static CompositeType.Method method(
      String name, FunctionType type, boolean virtual, CompositeType.Body body) {
    return new CompositeType.Method(
        name, type, Access.PUBLIC, virtual, false, body, Optional.empty(), OptionalLong.empty());
  }

  /** A constructor of an object from another one. */
  private static FunctionType copying(String name) {
    var named = new CompositeType(CompositeType.Kind.CLASS, name, 8, List::of);
    var reference = new PointerType(PointerType.Kind.REFERENCE, 8, () -> named);
    return new FunctionType(
        () -> VoidType.VOID,
        () ->
            List.of(
                new FunctionType.Parameter("this", LONG),
                new FunctionType.Parameter("", reference)),
        false);
  }

  /** The Itanium C++ ABI's classes that are not trivial for the purposes of calls (3.1.1). */
  @Test
  void classesThatCopyThemselvesAreInMemory() {
    var own = CompositeType.Body.OWN;
    var defaulted = CompositeType.Body.DEFAULTED;
    var deleted = CompositeType.Body.DELETED;
    var plain = new FunctionType(() -> VoidType.VOID, List::of, false);
    var copy = copying("app::Held");
    var inner = "app::Held<int>::Inner<long>";
    for (var type :
        List.of(
            holder("app::Held", method("Held", copy, false, own)),
            holder(inner, method("Inner", copying(inner), false, own)),
            holder("app::Held", method("~Held", plain, false, own)),
            holder("app::Held", method("~Held", plain, false, deleted)),
            holder("app::Held", method("Held", copy, false, deleted)),
            holder("app::Held", method("go", plain, true, own)),
            holder(Optional.of(false), "app::Held"))) {
      assertThat(SystemVCall.result(type)).isEqualTo(SystemVCall.Result.MEMORY);
      assertThat(SystemVCall.result(struct(8, at(type, 0)))).isEqualTo(SystemVCall.Result.MEMORY);
      assertThatThrownBy(() -> places(type)).hasMessageContaining("use a pointer");
    }
    for (var type :
        List.of(
            holder("app::Held", method("Held", plain, false, own)),
            holder(
                "app::Held",
                method("~Held", plain, false, defaulted),
                method("Held", copy, false, defaulted)),
            // A copy is not made, but what moves does.
            holder(
                "app::Held",
                method("Held", copy, false, deleted),
                method("Held", copy, false, defaulted)),
            holder(Optional.of(true), "app::Held", method("~Held", plain, false, own)))) {
      assertThat(places(type)).isEqualTo("r1 s0");
      assertThat(SystemVCall.result(type)).isEqualTo(SystemVCall.Result.REGISTERS);
    }
  }

  /** Two members of the same type each, as deep as types nest: 2 to the 60th parts. */
  @Test
  void typesOfManyPartsAreRefusedSoon() {
    CType type = struct(0);
    for (int i = 0; i < 60; i++) {
      var inner = type;
      type = struct(32, at(inner, 0), at(inner, 0));
    }
    var hostile = type;
    assertThatThrownBy(() -> places(hostile)).hasMessageContaining("too many parts");
    assertThatThrownBy(() -> SystemVCall.result(hostile)).hasMessageContaining("too many parts");
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
