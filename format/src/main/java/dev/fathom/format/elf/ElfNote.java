// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import dev.fathom.base.ByteSource;

/**
 * One note.
 *
 * @param name the owner, without its terminating NUL
 * @param type the owner's own type number
 * @param offset where the descriptor starts in the source that the note was read from, in bytes
 * @param descriptor the descriptor's bytes, not copied
 */
public record ElfNote(String name, int type, long offset, ByteSource descriptor) {
  /** Whether this is the note {@code type} of {@code owner}. */
  public boolean is(String owner, int number) {
    return type == number && name.equals(owner);
  }
}
