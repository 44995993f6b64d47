// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads a region of notes: {@code { u32 n_namesz, n_descsz, n_type; name padded; descriptor padded
 * }*}.
 *
 * <p>Both paddings go to 4 bytes in everything that Linux, kexec-tools, makedumpfile and QEMU
 * write, whatever the class and whatever {@code p_align} says (0, 1 and 4 all occur); only a region
 * with {@code p_align} 8 may really be padded to 8 (gABI), so that is tried first and dropped if
 * the region does not come out. Regions that were reserved and never written are zeros; they are
 * skipped.
 */
public final class ElfNotes {
  /** Dumps of devices (NT_VMCOREDD) can take hundreds of megabytes. */
  private static final long MAX_REGION = 1L << 30;

  /** Linux stops at 8192 CPUs. */
  private static final int MAX_NOTES = 1 << 17;

  private static final int NOTE_HEADER = 12;
  private static final int MAX_NAME = 4096;
  private static final int WINDOW = 1 << 16;

  private ElfNotes() {}

  /** What a region held: its notes, and whether it ended in the middle of one. */
  public record Result(List<ElfNote> notes, boolean complete) {}

  /**
   * Reads the notes in {@code [offset, offset + size)}. A region that reaches past the end of the
   * source, or ends inside a note, yields the notes before that and {@code complete == false}.
   *
   * @param align {@code p_align} of the segment
   * @throws BadDataException when the region is absurdly large
   */
  public static Result read(
      ByteSource source, long offset, long size, long align, ByteOrder order) {
    if (size < 0 || size > MAX_REGION) {
      throw new BadDataException(
          source.name(),
          offset,
          "notes of 0x" + Long.toHexString(size) + " bytes, expected at most 1 GiB");
    }
    long there = offset < 0 || offset > source.size() ? 0 : Math.min(size, source.size() - offset);
    if (there == 0) {
      return new Result(List.of(), size == 0);
    }
    if (align == 8) {
      Result padded = walk(source, offset, there, 8, order);
      if (padded.complete) {
        return there == size ? padded : new Result(padded.notes, false);
      }
    }
    Result result = walk(source, offset, there, 4, order);
    return there == size ? result : new Result(result.notes, false);
  }

  private static Result walk(
      ByteSource source, long offset, long size, int align, ByteOrder order) {
    var notes = new ArrayList<ElfNote>();
    ByteBuffer window = ByteBuffer.allocate(0);
    long windowAt = 0;
    long at = 0;
    while (at + NOTE_HEADER <= size) {
      if (at + NOTE_HEADER + MAX_NAME > windowAt + window.limit()
          && windowAt + window.limit() < size) {
        windowAt = at;
        window = ByteBuffer.wrap(source.bytes(offset + at, (int) Math.min(WINDOW, size - at)));
        window.order(order);
      }
      int local = (int) (at - windowAt);
      int nameSize = window.getInt(local);
      if (nameSize == 0) {
        at += 4;
        continue;
      }
      long descSize = Integer.toUnsignedLong(window.getInt(local + 4));
      long desc = pad(at + NOTE_HEADER + Integer.toUnsignedLong(nameSize), align);
      long descEnd = desc + descSize;
      if (nameSize < 0 || nameSize > MAX_NAME || descEnd > size || notes.size() == MAX_NOTES) {
        return new Result(List.copyOf(notes), false);
      }
      String name = name(window.array(), local + NOTE_HEADER, nameSize);
      notes.add(
          new ElfNote(
              name, window.getInt(local + 8), offset + desc, source.part(offset + desc, descSize)));
      at = pad(descEnd, align);
    }
    return new Result(List.copyOf(notes), true);
  }

  private static long pad(long at, int align) {
    return (at + align - 1) & -align;
  }

  private static String name(byte[] bytes, int start, int size) {
    int end = start;
    while (end < start + size && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, start, end - start, StandardCharsets.ISO_8859_1);
  }
}
