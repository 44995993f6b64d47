// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Makes a region of notes as {@link ElfNotes} reads it: little-endian, padded to 4 bytes. */
public final class ElfNoteWriter {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private int descriptorAt;

  /** Adds a note. */
  public ElfNoteWriter add(String name, int type, byte... descriptor) {
    byte[] owner = (name + "\0").getBytes(StandardCharsets.ISO_8859_1);
    ByteBuffer head = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
    head.putInt(owner.length).putInt(descriptor.length).putInt(type);
    out.writeBytes(head.array());
    padded(owner);
    descriptorAt = out.size();
    padded(descriptor);
    return this;
  }

  /** Adds all notes of a region. */
  public ElfNoteWriter region(byte... notes) {
    padded(notes);
    return this;
  }

  /** Where in the region the descriptor that was added last begins. */
  public int descriptorAt() {
    return descriptorAt;
  }

  public byte[] bytes() {
    return out.toByteArray();
  }

  private void padded(byte[] bytes) {
    out.writeBytes(bytes);
    out.writeBytes(new byte[-bytes.length & 3]);
  }
}
