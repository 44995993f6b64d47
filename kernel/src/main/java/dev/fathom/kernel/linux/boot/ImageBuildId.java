// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.boot;

import dev.fathom.symbols.index.BuildIdNotes.Note;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Finds the build-id in a kernel's image before any symbol is known. The linker script puts the
 * notes and then BTF at the end of the read-only data (include/asm-generic/vmlinux.lds.h, RO_DATA;
 * since 5.4), so the search goes backwards from there; the notes of the vDSO's images, which have
 * build-ids of their own, lie further ahead.
 *
 * <pre>
 *   u32 name size 4, u32 descriptor size, u32 type 3 (NT_GNU_BUILD_ID), "GNU\\0", the build-id
 * </pre>
 */
public final class ImageBuildId {
  private static final int BLOCK = 1 << 20;

  /** BTF behind the notes takes 3 to 8 MiB. */
  private static final int LIMIT = 32 << 20;

  private static final int HEADER = 12;
  private static final int NAME = 4;
  private static final int LEAST_ID = 8;
  private static final int MOST_ID = 64;
  private static final int TYPE = 3;

  /** How much more than a block is read, for a note that lies across its end. */
  private static final int BEYOND = HEADER + NAME + MOST_ID;

  private ImageBuildId() {}

  /** Whether this build-id stands at that offset in the image. */
  public static boolean isAt(KernelPlace place, Note note) {
    var block = new byte[BEYOND];
    int got =
        note.offset() < 0 || note.offset() >= place.image().length()
            ? 0
            : place
                .space()
                .read(place.image().start() + note.offset(), MemorySegment.ofArray(block));
    return isNote(block, 0, got) && id(block, 0).equals(note.id());
  }

  /** Searches the image; empty when none is found. */
  public static Optional<Note> find(KernelPlace place) {
    long start = place.image().start();
    long end = Constants.of(place).end();
    var block = new byte[BLOCK + BEYOND];
    long lowest = Math.max(0, end - start - LIMIT);
    for (long at = end - start; at > lowest; ) {
      long from = Math.max(lowest, at - BLOCK);
      int count = (int) (at - from) + BEYOND;
      int got = place.space().read(start + from, MemorySegment.ofArray(block).asSlice(0, count));
      for (int i = Math.min(got, count) - HEADER - NAME & -4; i >= 0; i -= 4) {
        if (block[i + HEADER] == 'G' && isNote(block, i, got)) {
          return Optional.of(new Note((int) from + i, id(block, i)));
        }
      }
      at = from;
    }
    return Optional.empty();
  }

  private static String id(byte[] block, int at) {
    int start = at + HEADER + NAME;
    return HexFormat.of().formatHex(block, start, start + i32(block, at + 4));
  }

  /** Whether there is a note of this kind; {@code end} is the end of what was read. */
  private static boolean isNote(byte[] block, int at, int end) {
    if (at + HEADER + NAME > end) {
      return false;
    }
    int length = i32(block, at + 4);
    return block[at + HEADER + 1] == 'N'
        && block[at + HEADER + 2] == 'U'
        && block[at + HEADER + 3] == 0
        && i32(block, at) == NAME
        && i32(block, at + 8) == TYPE
        && length >= LEAST_ID
        && length <= MOST_ID
        && at + HEADER + NAME + length <= end;
  }

  private static int i32(byte[] block, int at) {
    return (block[at] & 0xff)
        | (block[at + 1] & 0xff) << 8
        | (block[at + 2] & 0xff) << 16
        | block[at + 3] << 24;
  }
}
