// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.osvt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.testkit.Fuzz;
import dev.fathom.testkit.OsvtWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class OsvTraceFileTest {
  private static final long SWITCH = 0x4085cac0L;
  private static final long WAIT = 0x4085ca40L;
  private static final long PACKET = 0x4085d000L;
  private static final long EVERYTHING = 0x4085e000L;
  private static final byte[] DATA = {1, 2, 3, 4, 5};

  private enum Kind {
    TRACE_FILE,
    TRACE_FILE_BIG,
    DUMP,
    DUMP_BIG;

    byte[] bytes() {
      var writer = this == TRACE_FILE_BIG || this == DUMP_BIG ? sample().bigEndian() : sample();
      return this == TRACE_FILE || this == TRACE_FILE_BIG ? writer.traceFile() : writer.dump();
    }
  }

  private static OsvtWriter sample() {
    return new OsvtWriter()
        .tracepoint(WAIT, "sched_wait", "", "")
        .tracepoint(SWITCH, "sched_switch", "Pff", "to %p vold=%g vnew=%g")
        .tracepoint(PACKET, "net_packet_in", "i*", "proto=%d, data=%s")
        .tracepoint(EVERYTHING, "all", "cbBhHiIqQ?fdPp*B", "")
        .module("/libx.so", 0x1000_0000L, 0x3000)
        .symbol("main", 0x1000_1000L, 0x40)
        .event(WAIT, 0x8000_1000L, "idle0", 1000, 0, new long[] {0x40001, 0x40002})
        .event(SWITCH, 0x8000_1000L, "a-name-of-16-chr", 2000, 1, new long[0], -1L, 0.5f, 2f)
        .event(PACKET, 0x8000_2000L, "net", 3000, 0, new long[] {0x40003}, 9, DATA)
        .event(
            EVERYTHING,
            0x8000_3000L,
            "all",
            4000,
            -1,
            new long[0],
            (int) 'x',
            -1,
            255,
            -2,
            65535,
            -3,
            0xffff_fffeL,
            -4L,
            -5L,
            1,
            1.5f,
            -2.25,
            0x1234L,
            "text",
            DATA,
            7);
  }

  private static OsvTraceFile open(byte[] bytes) {
    var source = ByteSource.of("trace", bytes);
    assertThat(OsvTraceFile.recognise(source)).isTrue();
    return OsvTraceFile.open(source);
  }

  @ParameterizedTest
  @EnumSource
  void readsEveryTypeInBothFormatsAndOrders(Kind kind) {
    var file = open(kind.bytes());
    assertThat(file.buffers()).isEqualTo(1);
    assertThat(file.tracepoints())
        .extracting(OsvTracepoint::name)
        .containsExactly("sched_wait", "sched_switch", "net_packet_in", "all");
    assertThat(file.tracepoints().get(3).signature()).isEqualTo("cbBhHiIqQ?fdP50p*B");
    var events = file.events(0);

    assertThat(events.next()).isTrue();
    assertThat(events.tracepoint()).isZero();
    assertThat(events.thread()).isEqualTo(0x8000_1000L);
    assertThat(events.threadName()).isEqualTo("idle0");
    assertThat(events.time()).isEqualTo(1000);
    assertThat(events.cpu()).isZero();
    assertThat(events.frames()).isEqualTo(2);
    assertThat(events.frame(1)).isEqualTo(0x40002);
    assertThatThrownBy(() -> events.frame(2)).isInstanceOf(IndexOutOfBoundsException.class);

    assertThat(events.next()).isTrue();
    assertThat(events.tracepoint()).isEqualTo(1);
    assertThat(events.threadName()).isEqualTo("a-name-of-16-chr");
    assertThat(events.frames()).isZero();
    assertThat(events.integer(0)).isEqualTo(-1);
    assertThat(events.real(1)).isEqualTo(0.5);
    assertThat(events.real(2)).isEqualTo(2.0);

    assertThat(events.next()).isTrue();
    assertThat(events.integer(0)).isEqualTo(9);
    assertThat(events.bytes(1).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(DATA);
    long third = events.offset();

    assertThat(events.next()).isTrue();
    assertThat(events.cpu()).isEqualTo(-1);
    long[] numbers = {'x', -1, 255, -2, 65535, -3, 0xffff_fffeL, -4, -5, 1};
    for (int i = 0; i < numbers.length; i++) {
      assertThat(events.integer(i)).as("argument %d", i).isEqualTo(numbers[i]);
    }
    assertThat(events.real(10)).isEqualTo(1.5);
    assertThat(events.real(11)).isEqualTo(-2.25);
    assertThat(events.integer(12)).isEqualTo(0x1234);
    assertThat(events.text(13)).isEqualTo("text");
    assertThat(events.length(14)).isEqualTo(5);
    assertThat(events.integer(15)).isEqualTo(7);
    assertThat(events.next()).isFalse();
    assertThat(events.next()).isFalse();

    events.seek(third);
    assertThat(events.next()).isTrue();
    assertThat(events.tracepoint()).isEqualTo(2);
  }

  @Test
  void aDumpHasBuffersModulesAndSymbols() {
    var file = open(sample().buffer().event(WAIT, 1, "b", 1500, 1, new long[] {7, 0, 9}).dump());
    assertThat(file.format()).isEqualTo(OsvTraceFile.Format.DUMP);
    assertThat(file.buffers()).isEqualTo(2);
    var events = file.events(1);
    assertThat(events.next()).isTrue();
    assertThat(events.frames()).isEqualTo(2);
    assertThat(events.frame(1)).isEqualTo(9);
    assertThat(file.symbols()).containsExactly(new OsvSymbol("main", 0x1000_1000L, 0x40, ""));
    assertThat(file.modules())
        .containsExactly(
            new OsvModule(
                "/libx.so",
                0x1000_0000L,
                0x3000,
                java.util.List.of(new OsvModule.Section(".text", 0x1000, 0x1000, 0x2000))));
    assertThat(file.tracepoints().getFirst().provider()).isEqualTo("OSv");
  }

  @Test
  void aKeyOfZeroOrAllOnesEndsABuffer() {
    for (long key : new long[] {0, -1}) {
      var file =
          open(
              sample()
                  .tracepoint(key, "end", "", "")
                  .event(key, 0, "", 0, 0, new long[0])
                  .event(WAIT, 0, "", 0, 0, new long[0])
                  .dump());
      var events = file.events(0);
      int count = 0;
      while (events.next()) {
        count++;
      }
      assertThat(count).isEqualTo(4);
    }
  }

  @Test
  void whatBreaksTheFormatIsNamed() {
    byte[] whole = sample().traceFile();
    var cut = open(Arrays.copyOf(whole, whole.length - 3)).events(0);
    for (int i = 0; i < 3; i++) {
      assertThat(cut.next()).isTrue();
    }
    assertThatThrownBy(cut::next)
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("the arguments of an event");
    assertThat(cut.next()).isFalse();

    byte[] unlisted = sample().tracepoint(5, "x", "", "").event(5, 0, "", 0, 0, new long[0]).dump();
    var head = open(new OsvtWriter().tracepoint(6, "y", "", "").traceFile());
    assertThat(head.events(0).next()).isFalse();
    int at = unlisted.length - 48;
    unlisted[at] = 99;
    var events = open(unlisted).events(0);
    for (int i = 0; i < 4; i++) {
      assertThat(events.next()).isTrue();
    }
    assertThatThrownBy(events::next)
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("0x" + Integer.toHexString(at))
        .hasMessageContaining("event of tracepoint 0x63, which is not listed");

    assertThatThrownBy(() -> OsvTraceFile.open(ByteSource.of("x", new byte[64])))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("expected version 3 or the tag OSVT");
    assertThatThrownBy(() -> open(new OsvtWriter().tracepoint(1, "x", "Z", "").traceFile()))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("argument type 0x5a");
  }

  @ParameterizedTest
  @EnumSource
  void damagedFilesAreErrorsAtMost(Kind kind) {
    Fuzz.run(kind.bytes(), 4000, OsvTraceFileTest::readAll);
  }

  private static void readAll(byte[] bytes) {
    var source = ByteSource.of("fuzz", bytes);
    var file = OsvTraceFile.open(source);
    for (int i = 0; i < file.buffers(); i++) {
      var events = file.events(i);
      while (events.next()) {
        use(file, events);
      }
    }
  }

  private static void use(OsvTraceFile file, OsvEvents events) {
    long sum = events.thread() + events.time() + events.threadName().length();
    for (int i = 0; i < events.frames(); i++) {
      sum += events.frame(i);
    }
    for (int i = 0; i < file.tracepoints().get(events.tracepoint()).arguments().size(); i++) {
      sum += events.integer(i) + (long) events.real(i);
      sum += events.text(i).length() + events.bytes(i).byteSize();
    }
    assertThat(sum).isNotEqualTo(Long.MIN_VALUE + 1);
  }

  @Test
  void whatTheWriterWritesReadsTheSame() throws IOException {
    var file = open(sample().dump());
    var out = new ByteArrayOutputStream();
    var writer = new OsvTraceWriter(out, file.tracepoints());
    var events = file.events(0);
    while (events.next()) {
      writer.event(events, file.tracepoints().get(events.tracepoint()), events.time());
    }
    assertThat(out.toByteArray()).isEqualTo(sample().traceFile());
    assertThat(open(out.toByteArray()).order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
  }
}
