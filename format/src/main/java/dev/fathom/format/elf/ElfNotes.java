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
  /** No dump has more: one CPU takes some 1.2 KiB, and Linux stops at 8192 CPUs. */
  private static final long MAX_REGION = 256L << 20;

  private static final int NOTE_HEADER = 12;
  private static final int MAX_NAME = 4096;

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
          "notes of 0x" + Long.toHexString(size) + " bytes, expected at most 256 MiB");
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
    ByteBuffer bytes = ByteBuffer.wrap(source.bytes(offset, (int) size)).order(order);
    int at = 0;
    while (at + NOTE_HEADER <= size) {
      int nameSize = bytes.getInt(at);
      int descSize = bytes.getInt(at + 4);
      int type = bytes.getInt(at + 8);
      if (nameSize == 0) {
        at += 4;
        continue;
      }
      long desc = pad(at + NOTE_HEADER + Integer.toUnsignedLong(nameSize), align);
      long descEnd = desc + Integer.toUnsignedLong(descSize);
      if (nameSize < 0 || nameSize > MAX_NAME || descEnd > size) {
        return new Result(List.copyOf(notes), false);
      }
      String name = name(bytes.array(), at + NOTE_HEADER, nameSize);
      notes.add(
          new ElfNote(
              name,
              type,
              offset + desc,
              ByteSource.of(
                  source.name(), source.slice(offset + desc, Integer.toUnsignedLong(descSize)))));
      at = (int) Math.min(pad(descEnd, align), size);
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
