// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.recording;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.Loss;
import dev.fathom.testkit.Fuzz;
import dev.fathom.trace.Argument;
import dev.fathom.trace.ArgumentType;
import dev.fathom.trace.Frame;
import dev.fathom.trace.KeptEvent;
import dev.fathom.trace.TraceThread;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class RecordingTest {
  private static final TraceThread SHELL = new TraceThread(42, OptionalLong.of(7), "sh");
  private static final TraceThread IDLE = new TraceThread(-1, OptionalLong.empty(), "idle");
  private static final List<Argument> EVERYTHING = everything();

  private static List<Argument> everything() {
    var arguments = new ArrayList<Argument>();
    for (var type : ArgumentType.values()) {
      arguments.add(new Argument("a" + type.ordinal(), type));
    }
    return arguments;
  }

  private static byte[] sample(int blocks) throws IOException {
    var out = new ByteArrayOutputStream();
    try (var writer = new RecordingWriter(out)) {
      writer.fact("target", "test");
      writer.names(
          0x1000,
          List.of(
              new Frame(0x1000, Optional.of("f"), Optional.of("f.c"), OptionalInt.of(12)),
              new Frame(0x1000, Optional.of("g"), Optional.empty(), OptionalInt.empty())));
      var plain = writer.tracepoint("fbt", "read", "", List.of());
      var all = writer.tracepoint("osv", "all", "%d", EVERYTHING);
      for (int i = 0; i < blocks; i++) {
        writer.begin(plain, 1000L * i + 5, 3, SHELL, new long[] {-1, 0x1001, 9}, 2);
        writer.end();
        writer.begin(all, 1000L * i, -1, i % 2 == 0 ? IDLE : SHELL, new long[0], 0);
        for (var argument : EVERYTHING) {
          switch (argument.type()) {
            case F32, F64 -> writer.real(-1.5);
            case STRING -> writer.bytes("text".getBytes(java.nio.charset.StandardCharsets.UTF_8));
            case BYTES -> writer.bytes(new byte[] {1, 2, (byte) i});
            case I8, I16, I32, I64 -> writer.integer(-2);
            case CHAR, U8, U16, U32, U64, BOOL, POINTER -> writer.integer(1);
          }
        }
        writer.end();
        writer.flush();
      }
      writer.loss(new Loss("events that were dropped", 17));
    }
    return out.toByteArray();
  }

  private static Recording open(byte[] bytes) {
    return new Recording(ByteSource.of("recording", bytes), () -> {});
  }

  @Test
  void readsWhatWasWritten() throws IOException {
    var recording = open(sample(2));
    assertThat(recording.facts()).containsEntry("target", "test");
    assertThat(recording.losses()).containsExactly(new Loss("events that were dropped", 17));
    assertThat(recording.names().at(0x1000)).extracting(Frame::text).containsExactly("f", "g");
    assertThat(recording.names().at(0x1001)).isEmpty();
    assertThat(recording.tracepoints().get(1).arguments()).isEqualTo(EVERYTHING);
    var events = recording.events();
    for (int i = 0; i < 2; i++) {
      assertThat(events.next()).isTrue();
      assertThat(events.tracepoint().name()).isEqualTo("read");
      assertThat(events.time()).isEqualTo(1000L * i + 5);
      assertThat(events.cpu()).isEqualTo(3);
      assertThat(events.thread()).isEqualTo(SHELL);
      assertThat(events.frames()).isEqualTo(2);
      assertThat(events.frame(0)).isEqualTo(-1);
      assertThat(events.frame(1)).isEqualTo(0x1001);
      assertThat(events.next()).isTrue();
      assertThat(events.time()).isEqualTo(1000L * i);
      assertThat(events.cpu()).isEqualTo(-1);
      assertThat(events.threadId()).isEqualTo(i == 0 ? -1 : 42);
      assertThat(events.frames()).isZero();
      var kept = KeptEvent.of(events);
      for (int a = 0; a < EVERYTHING.size(); a++) {
        switch (EVERYTHING.get(a).type()) {
          case F32, F64 -> assertThat(kept.real(a)).isEqualTo(-1.5);
          case STRING -> assertThat(kept.text(a)).isEqualTo("text");
          case BYTES -> assertThat(kept.bytes(a)).containsExactly(1, 2, i);
          case I8, I16, I32, I64 -> assertThat(kept.integer(a)).isEqualTo(-2);
          case CHAR, U8, U16, U32, U64, BOOL, POINTER -> assertThat(kept.integer(a)).isEqualTo(1);
        }
      }
    }
    assertThat(events.next()).isFalse();
  }

  /** Wherever the writer was stopped, the events of whole blocks are there and nothing else is. */
  @Test
  void aTornEndLosesTheLastBlockAtMost() throws IOException {
    byte[] whole = sample(3);
    int before = 0;
    for (int length = RecordingFormat.HEAD; length <= whole.length; length++) {
      var recording = open(Arrays.copyOf(whole, length));
      int count = 0;
      for (var events = recording.events(); events.next(); ) {
        count++;
      }
      assertThat(count).isIn(before, before + 2);
      before = count;
      if (length < whole.length) {
        assertThat(recording.losses().size()).isLessThanOrEqualTo(1);
      }
    }
    assertThat(before).isEqualTo(6);
    byte[] flipped = whole.clone();
    flipped[whole.length / 2] ^= 1;
    var recording = open(flipped);
    assertThat(recording.losses().getFirst().what()).contains("the block there is not whole");
    assertThat(recording.losses().getFirst().count()).isPositive();
  }

  @Test
  void damagedRecordingsAreErrorsAtMost() throws IOException {
    Fuzz.run(sample(2), 3000, bytes -> readAll(open(bytes)));
  }

  /** Damage inside of blocks that the checksum does not catch. */
  @Test
  void hostileBlocksAreErrorsAtMost() throws IOException {
    byte[] whole = sample(1);
    Fuzz.run(
        whole,
        3000,
        bytes -> {
          byte[] summed = bytes.clone();
          resum(summed);
          readAll(open(summed));
        });
  }

  private static void resum(byte[] bytes) {
    var numbers = java.nio.ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.LITTLE_ENDIAN);
    int at = RecordingFormat.HEAD;
    while (at + RecordingFormat.BLOCK_HEAD <= bytes.length) {
      int length = numbers.getInt(at);
      if (length < 0 || length > bytes.length - at - RecordingFormat.BLOCK_HEAD) {
        return;
      }
      var sum = new java.util.zip.CRC32C();
      sum.update(bytes, at + 8, length + 1);
      numbers.putInt(at + 4, (int) sum.getValue());
      at += RecordingFormat.BLOCK_HEAD + length;
    }
  }

  private static void readAll(Recording recording) {
    for (var events = recording.events(); events.next(); ) {
      var kept = KeptEvent.of(events);
      assertThat(kept.thread()).isNotNull();
    }
  }

  @Test
  void otherFilesAreRefused() throws IOException {
    byte[] later = sample(1);
    later[8] = 2;
    assertThatThrownBy(() -> open(later))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("recording of version 2, expected 1");
    assertThatThrownBy(() -> open(new byte[20])).isInstanceOf(BadDataException.class);
  }
}
