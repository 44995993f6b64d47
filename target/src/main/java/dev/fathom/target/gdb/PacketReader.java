// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import dev.fathom.base.BadDataException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Takes frames out of a stream:
 *
 * <pre>
 * stream       = { "+" | "-" | packet | notification | junk }
 * packet       = "$" { byte | "}" escaped | byte "*" count } "#" digit digit
 * notification = "%" ... as a packet
 * </pre>
 *
 * The byte after {@code }} is xored with 0x20; {@code *} repeats the byte before it as often as the
 * next byte's value minus 29. The digits are the sum of all bytes between {@code $} and {@code #}.
 */
final class PacketReader {
  /** The largest packet taken, before and after expansion; real ones are under 256 KiB. */
  static final int MAX_PACKET = 1 << 20;

  /** How many bytes that belong to nothing are passed over between two frames. */
  static final int MAX_JUNK = 1 << 16;

  /** What came. */
  enum Event {
    PACKET,
    /** A packet whose sum is wrong, or which a new one cut off. */
    DAMAGED,
    NOTIFICATION,
    ACK,
    NAK,
    /** Nothing in time, or somebody woke the wire. */
    NOTHING,
    END
  }

  private enum State {
    BETWEEN,
    PAYLOAD,
    ESCAPED,
    REPEATED,
    SUM_HIGH,
    SUM_LOW
  }

  private final Wire wire;
  private final String name;
  private final ByteBuffer input = ByteBuffer.allocate(1 << 18).flip();
  private final byte[] bytes = input.array();
  private long position;
  private long offset;
  private State state = State.BETWEEN;
  private boolean notification;
  private byte[] payload = new byte[8192];
  private int size;
  private int taken;
  private int sum;
  private int told;
  private int junk;
  private boolean monitor;

  PacketReader(Wire wire, String name) {
    this.wire = wire;
    this.name = name;
  }

  /** The payload of the last {@link Event#PACKET} or {@link Event#NOTIFICATION}, a copy. */
  byte[] payload() {
    return Arrays.copyOf(payload, size);
  }

  /** Bytes taken from the stream so far, for messages. */
  long position() {
    return position;
  }

  /**
   * The next event.
   *
   * @param deadline a value of {@link System#nanoTime}: a packet that is not complete by then is
   *     {@link Event#NOTHING}, and its rest is taken up by the next call
   * @throws BadDataException when the stream has no bound, or cannot be decoded
   */
  Event next(long deadline) throws IOException {
    while (true) {
      int at = input.position();
      int limit = input.limit();
      while (at < limit) {
        if (state == State.PAYLOAD) {
          at = plain(at, limit);
          if (at == limit) {
            break;
          }
        }
        offset = position + (at - input.position());
        Event event = take(bytes[at++]);
        if (event != Event.NOTHING) {
          position += at - input.position();
          input.position(at);
          return event;
        }
      }
      position += at - input.position();
      input.clear();
      int count = wire.read(input, deadline);
      input.flip();
      if (count < 0) {
        return Event.END;
      }
      if (count == 0) {
        return Event.NOTHING;
      }
    }
  }

  /** Whether the stream begins as QEMU's machine protocol does, with a JSON text. */
  boolean isMonitor() {
    return monitor;
  }

  /** Whether a packet has begun that has not ended. */
  boolean isInPacket() {
    return state != State.BETWEEN;
  }

  /** Takes the bytes of a payload up to the next that means something else. */
  private int plain(int from, int limit) {
    int at = Hex.plainEights(bytes, from, limit);
    int total = sum + Hex.sumOfEights(bytes, from, at);
    while (at < limit) {
      byte b = bytes[at];
      if (b == '#' || b == '}' || b == '*' || b == '$') {
        break;
      }
      total += b;
      at++;
    }
    sum = total;
    int count = at - from;
    room(count, count);
    System.arraycopy(bytes, from, payload, size, count);
    size += count;
    return at;
  }

  private Event take(byte b) {
    return switch (state) {
      case BETWEEN -> between(b);
      case PAYLOAD -> special(b);
      case ESCAPED -> {
        sum += b;
        append((byte) (b ^ 0x20), 1);
        state = State.PAYLOAD;
        yield Event.NOTHING;
      }
      case REPEATED -> {
        sum += b;
        int count = (b & 0xff) - 29;
        if (size == 0 || count < 3 || (b & 0xff) > 126) {
          throw bad("run of " + count + " bytes, expected 3 to 97 and a byte before it");
        }
        append(payload[size - 1], count);
        state = State.PAYLOAD;
        yield Event.NOTHING;
      }
      case SUM_HIGH -> {
        told = Hex.value(b & 0xff);
        state = State.SUM_LOW;
        yield Event.NOTHING;
      }
      case SUM_LOW -> {
        state = State.BETWEEN;
        int low = Hex.value(b & 0xff);
        boolean good = told >= 0 && low >= 0 && (told << 4 | low) == (sum & 0xff);
        if (notification) {
          yield good ? Event.NOTIFICATION : Event.NOTHING;
        }
        yield good ? Event.PACKET : Event.DAMAGED;
      }
    };
  }

  private Event between(byte b) {
    switch (b) {
      case '$', '%' -> {
        start(b == '%');
        return Event.NOTHING;
      }
      case '+' -> {
        return Event.ACK;
      }
      case '-' -> {
        return Event.NAK;
      }
      default -> {
        if (offset == 0 && b == '{') {
          monitor = true;
          throw bad("this is QEMU's machine protocol, not a gdb stub");
        }
        if (++junk > MAX_JUNK) {
          throw bad(MAX_JUNK + " bytes outside of packets; this is no gdb stub");
        }
        return Event.NOTHING;
      }
    }
  }

  private Event special(byte b) {
    if (b == '$') {
      boolean cut = !notification;
      start(false);
      return cut ? Event.DAMAGED : Event.NOTHING;
    }
    if (b == '#') {
      state = State.SUM_HIGH;
      return Event.NOTHING;
    }
    sum += b;
    state = b == '}' ? State.ESCAPED : State.REPEATED;
    return Event.NOTHING;
  }

  private void start(boolean isNotification) {
    state = State.PAYLOAD;
    notification = isNotification;
    size = 0;
    taken = 0;
    sum = 0;
    junk = 0;
  }

  private void append(byte b, int count) {
    room(1, count);
    Arrays.fill(payload, size, size + count, b);
    size += count;
  }

  /** Counts bytes taken and makes room for what they stand for. */
  private void room(int from, int count) {
    taken += from;
    if (size + count > MAX_PACKET || taken > MAX_PACKET) {
      throw bad("packet of more than " + MAX_PACKET + " bytes");
    }
    if (size + count > payload.length) {
      payload = Arrays.copyOf(payload, Math.max(2 * payload.length, size + count));
    }
  }

  private BadDataException bad(String what) {
    return new BadDataException(name, offset, what);
  }
}
