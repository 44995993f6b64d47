// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Itanium C++ ABI, section 2.3; C++ ABI for the Arm 64-bit Architecture, section 3.2.1. */
class MemberFunctionTest {
  @ParameterizedTest
  @CsvSource({
    // first, second, on Arm, virtual, code, moved, null
    "0,0,false,false,0,0,true",
    "0x401136,0,false,false,0x401136,0,false",
    "0x401136,16,false,false,0x401136,16,false",
    "1,0,false,true,0,0,false",
    "17,-8,false,true,16,-8,false",
    "0,0,true,false,0,0,true",
    "0x401136,0,true,false,0x401136,0,false",
    "0x401137,32,true,false,0x401137,16,false",
    "0,1,true,true,0,0,false",
    "16,-15,true,true,16,-8,false"
  })
  void wordsSayWhatIsCalled(
      String first,
      long second,
      boolean arm,
      boolean virtual,
      String code,
      long moved,
      boolean no) {
    var function = MemberFunction.of(Long.decode(first), second, arm);
    assertThat(function).isEqualTo(new MemberFunction(virtual, Long.decode(code), moved));
    assertThat(function.isNull()).isEqualTo(no);
    assertThat(function.words(arm)).isEqualTo(List.of(Long.decode(first), second));
  }
}
