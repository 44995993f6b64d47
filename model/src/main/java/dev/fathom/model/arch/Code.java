// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch;

import dev.fathom.base.FaultException;
import dev.fathom.model.Memory;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A stretch of code in memory, cut into instructions.
 *
 * @param slots the instructions in order of address, without gaps
 * @param fault why there are fewer than asked for: the memory after the last one cannot be read
 */
public record Code(List<Slot> slots, Optional<FaultException> fault) {
  /** How far back from an address the start of its function may lie to begin decoding there. */
  private static final long FAR = 1 << 20;

  private static final int CHUNK = 256;

  /**
   * One instruction, or one byte that is not the start of any.
   *
   * @param bytes never empty
   */
  public record Slot(long address, byte[] bytes, boolean valid) {
    public long end() {
      return address + bytes.length;
    }
  }

  public Code {
    slots = List.copyOf(slots);
  }

  /**
   * The instructions from {@code start} on.
   *
   * @param end where the code ends, exclusive: an instruction that reaches beyond is still given
   *     whole; empty when only {@code limit} counts
   * @param limit how many instructions at most
   * @throws FaultException when nothing can be read at {@code start}
   */
  public static Code from(
      Memory memory, FlowDecoder decoder, long start, OptionalLong end, int limit) {
    var slots = new ArrayList<Slot>();
    var cutter = new Cutter(memory, decoder, start);
    while (slots.size() < limit
        && (end.isEmpty() || Long.compareUnsigned(cutter.address(), end.getAsLong()) < 0)) {
      var slot = cutter.next();
      if (slot.isEmpty()) {
        return cutOff(memory, slots, start, cutter.address());
      }
      slots.add(slot.get());
    }
    return new Code(slots, Optional.empty());
  }

  /**
   * The instruction at {@code address}, up to {@code before} ones in front of it and up to {@code
   * after} ones behind it. Those in front are cut from the start of the function on, so that they
   * are right; without a function they are the likely ones ({@link FlowDecoder#lengthBefore}).
   *
   * @param function the start of the function that {@code address} is in
   * @throws FaultException when nothing can be read at {@code address}
   */
  public static Code around(
      Memory memory,
      FlowDecoder decoder,
      OptionalLong function,
      long address,
      int before,
      int after) {
    var slots = new ArrayList<Slot>();
    if (before > 0) {
      boolean near =
          function.isPresent()
              && Long.compareUnsigned(function.getAsLong(), address) <= 0
              && address - function.getAsLong() <= FAR;
      slots.addAll(
          near
              ? since(memory, decoder, function.getAsLong(), address, before)
              : likely(memory, decoder, address, before));
    }
    var rest = from(memory, decoder, address, OptionalLong.empty(), after + 1);
    slots.addAll(rest.slots());
    return new Code(slots, rest.fault());
  }

  /**
   * The last instructions from {@code start} to {@code address}; none if that is not a boundary.
   */
  private static List<Slot> since(
      Memory memory, FlowDecoder decoder, long start, long address, int count) {
    var last = new ArrayDeque<Slot>();
    var cutter = new Cutter(memory, decoder, start);
    while (cutter.address() != address) {
      var slot = cutter.next();
      if (slot.isEmpty() || Long.compareUnsigned(slot.get().end(), address) > 0) {
        return likely(memory, decoder, address, count);
      }
      last.add(slot.get());
      if (last.size() > count) {
        last.remove();
      }
    }
    return List.copyOf(last);
  }

  private static List<Slot> likely(Memory memory, FlowDecoder decoder, long address, int count) {
    var found = new ArrayList<Slot>();
    long at = address;
    while (found.size() < count) {
      byte[] bytes = readBefore(memory, at, 8 * decoder.longest());
      var length = decoder.lengthBefore(bytes, bytes.length, at);
      if (length.isEmpty()) {
        break;
      }
      at -= length.getAsInt();
      byte[] own = Arrays.copyOfRange(bytes, bytes.length - length.getAsInt(), bytes.length);
      found.add(new Slot(at, own, true));
    }
    return found.reversed();
  }

  /** Up to {@code count} readable bytes that end before {@code address}. */
  private static byte[] readBefore(Memory memory, long address, int count) {
    var bytes = new byte[count];
    int start = 0;
    // What is unreadable is likely a page, so the readable part begins at a page's start.
    while (start < count) {
      int got = memory.read(address - count + start, MemorySegment.ofArray(bytes).asSlice(start));
      if (start + got == count) {
        return Arrays.copyOfRange(bytes, start, count);
      }
      start += got + 1;
    }
    return new byte[0];
  }

  private static Code cutOff(Memory memory, List<Slot> slots, long start, long address) {
    var fault = memory.fault(address);
    if (address == start) {
      throw fault;
    }
    return new Code(slots, Optional.of(fault));
  }

  /** Cuts one instruction after the other out of memory, which it reads in chunks. */
  private static final class Cutter {
    private final Memory memory;
    private final FlowDecoder decoder;
    private final byte[] chunk = new byte[CHUNK];
    private int at;
    private int end;
    private long address;

    Cutter(Memory memory, FlowDecoder decoder, long start) {
      this.memory = memory;
      this.decoder = decoder;
      this.address = start;
    }

    /** Where the next instruction starts. */
    long address() {
      return address;
    }

    /** Empty when the next byte cannot be read. */
    Optional<Slot> next() {
      if (end - at < decoder.longest()) {
        int kept = end - at;
        System.arraycopy(chunk, at, chunk, 0, kept);
        var room = MemorySegment.ofArray(chunk).asSlice(kept);
        at = 0;
        end = kept + memory.read(address + kept, room);
      }
      if (at == end) {
        return Optional.empty();
      }
      var flow = decoder.decode(chunk, at, end, address);
      int length = flow.isPresent() ? flow.get().length() : 1;
      var slot = new Slot(address, Arrays.copyOfRange(chunk, at, at + length), flow.isPresent());
      at += length;
      address += length;
      return Optional.of(slot);
    }
  }
}
