// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.target.Stop;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** What tells that a target stopped or ended. */
class StopReplyTest {
  private static Reply reply(String text) {
    return new Reply(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static Stop.Reason reason(String text) {
    assertThat(reply(text).isStop()).as(text).isTrue();
    return StopReply.parse(reply(text)).reason();
  }

  /** gdbserver writes a status with as many digits as it takes. */
  @Test
  void endsHaveOneDigitOrTwo() {
    assertThat(reason("W00")).isEqualTo(new Stop.Ended(0));
    assertThat(reason("W3;process:2ece")).isEqualTo(new Stop.Ended(3));
    assertThat(reason("W2a;process:2ece")).isEqualTo(new Stop.Ended(42));
    assertThat(reason("W7")).isEqualTo(new Stop.Ended(7));
    assertThat(reason("Xb;process:1")).isEqualTo(new Stop.Ended(11));
  }

  @Test
  void stopsHaveTwo() {
    assertThat(reason("S0b")).isEqualTo(new Stop.Signal(11));
    assertThat(reason("T05thread:1;")).isEqualTo(new Stop.Trap());
    for (var text : new String[] {"T5", "S", "S0", "W", "Wx", "W3x", "OK", "E01", ""}) {
      assertThat(reply(text).isStop()).as(text).isFalse();
    }
  }
}
