// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.analysis;

import dev.fathom.trace.ArgumentType;
import dev.fathom.trace.EventCursor;
import dev.fathom.trace.TraceEvent;
import dev.fathom.trace.Tracepoint;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * Packets that OSv sent and received, as {@code net_packet_in} and {@code net_packet_out} tell (a
 * protocol, then the packet), in the format of libpcap with Ethernet as link type; packets of other
 * protocols get an Ethernet header of zero addresses.
 */
public final class Packets {
  private static final int MAGIC = 0xa1b2c3d4;
  private static final int ETHERNET = 1;
  private static final int SNAPLEN = 1500;
  private static final int HEADER = 14;

  /** OSv's numbers of protocols (bsd/sys/net/netisr.h; scripts/trace.py); 9 is Ethernet. */
  private static final int PROTOCOL_ETHER = 9;

  private final OutputStream out;
  private long packets;
  private long skipped;

  /** Writes the head of the file. */
  public Packets(OutputStream out) throws IOException {
    this.out = out;
    var head = buffer(24).putInt(MAGIC).putShort((short) 2).putShort((short) 4);
    out.write(head.putInt(0).putInt(0).putInt(SNAPLEN).putInt(ETHERNET).array());
  }

  /** Writes every packet sent or received. */
  public void addAll(EventCursor events, TimeSlice slice) throws IOException {
    while (events.next()) {
      var name = events.tracepoint().name();
      boolean packet = name.equals("net_packet_in") || name.equals("net_packet_out");
      if (packet && slice.contains(events.time())) {
        add(events);
      }
    }
  }

  /** Whether events of this tracepoint have a packet. */
  public static boolean isPacket(Tracepoint tracepoint) {
    return tracepoint.name().startsWith("net_packet_")
        && tracepoint.arguments().size() == 2
        && !tracepoint.arguments().getFirst().type().varying()
        && tracepoint.arguments().get(1).type() == ArgumentType.BYTES;
  }

  /** Whether the packet of such an event can be written. */
  public static boolean isKnown(TraceEvent event) {
    int protocol = (int) event.integer(0);
    return protocol == PROTOCOL_ETHER || etherType(protocol).isPresent();
  }

  /** Writes the packet of an event; counts it as skipped when its protocol is not known. */
  public void add(TraceEvent event) throws IOException {
    if (!isPacket(event.tracepoint())) {
      skipped++;
      return;
    }
    var data = event.bytes(1);
    int protocol = (int) event.integer(0);
    if (protocol == PROTOCOL_ETHER) {
      write(event.time(), data, Optional.empty());
      return;
    }
    var type = etherType(protocol);
    if (type.isEmpty()) {
      skipped++;
      return;
    }
    write(event.time(), data, type);
  }

  private void write(long time, byte[] data, Optional<Integer> type) throws IOException {
    int length = data.length + (type.isPresent() ? HEADER : 0);
    var packet = buffer(16 + length);
    long micros =
        Long.divideUnsigned(time, 1000) + (Long.remainderUnsigned(time, 1000) + 500) / 1000;
    packet.putInt((int) (micros / 1_000_000)).putInt((int) (micros % 1_000_000));
    packet.putInt(length).putInt(length);
    if (type.isPresent()) {
      int number = type.get();
      packet.put(new byte[12]).put((byte) (number >> 8)).put((byte) number);
    }
    out.write(packet.put(data).array());
    packets++;
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static Optional<Integer> etherType(int protocol) {
    return switch (protocol) {
      case 1 -> Optional.of(0x0800);
      case 3 -> Optional.of(0x8035);
      case 4, 7 -> Optional.of(0x0806);
      case 8 -> Optional.of(0x8137);
      case 10 -> Optional.of(0x86dd);
      default -> Optional.empty();
    };
  }

  /** How many packets were written. */
  public long packets() {
    return packets;
  }

  /** How many were of a protocol that Ethernet has no number for. */
  public long skipped() {
    return skipped;
  }
}
