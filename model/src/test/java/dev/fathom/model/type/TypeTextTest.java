// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class TypeTextTest {
  private final IntType intType = new IntType("int", 4, true, false);
  private final IntType charType = new IntType("char", 1, true, true);

  private static PointerType pointer(CType target) {
    return new PointerType(8, () -> target);
  }

  @Test
  void declarationsAsCWritesThem() {
    var array = new ArrayType(() -> charType, OptionalLong.of(16));
    var matrix = new ArrayType(() -> array, OptionalLong.of(2));
    var function =
        new FunctionType(
            () -> intType,
            () -> List.of(new FunctionType.Parameter("text", pointer(charType))),
            true);
    var constant = new QualifiedType(QualifiedType.Qualifier.CONST, () -> charType);
    var constantPointer = new QualifiedType(QualifiedType.Qualifier.CONST, () -> pointer(charType));
    assertThat(array.declare("comm")).isEqualTo("char comm[16]");
    assertThat(array.text()).isEqualTo("char [16]");
    assertThat(matrix.declare("m")).isEqualTo("char m[2][16]");
    assertThat(pointer(array).declare("p")).isEqualTo("char (*p)[16]");
    assertThat(new ArrayType(() -> pointer(intType), OptionalLong.empty()).declare("v"))
        .isEqualTo("int *v[]");
    assertThat(pointer(function).declare("print")).isEqualTo("int (*print)(char *text, ...)");
    var constants = new ArrayType(() -> constant, OptionalLong.empty());
    assertThat(new QualifiedType(QualifiedType.Qualifier.CONST, () -> constants).declare("v"))
        .as("gcc writes const twice for one")
        .isEqualTo("const char v[]");
    assertThat(pointer(constant).declare("s")).isEqualTo("const char *s");
    assertThat(constantPointer.declare("s")).as("as gdb writes it").isEqualTo("char * const s");
    assertThat(pointer(pointer(VoidType.VOID)).text()).isEqualTo("void **");
    assertThat(new CompositeType(CompositeType.Kind.UNION, "u", 8, List::of).declare("x"))
        .isEqualTo("union u x");
  }

  @Test
  void endlessChainsEnd() {
    var self = new PointerType[1];
    self[0] = new PointerType(8, () -> self[0]);
    assertThat(self[0].text()).contains("...");
    var loop = new TypedefType[1];
    loop[0] = new TypedefType("loop", () -> loop[0]);
    assertThat(loop[0].resolved()).isEqualTo(VoidType.VOID);
  }
}
