// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FathomException;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.kernel.linux.data.Block;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.model.Memory;
import java.util.HexFormat;
import java.util.Optional;

/** GNU build-ids of the kernel and of modules. */
final class BuildIds {
  private static final int NOTES_LIMIT = 1 << 16;
  private static final int NOTE_HEADER = 12;

  /** NT_GNU_BUILD_ID. */
  private static final int BUILD_ID = 3;

  private static final int ID_LIMIT = 64;

  /** More sections of notes than a module has. */
  private static final int SECTION_LIMIT = 64;

  private BuildIds() {}

  /** From VMCOREINFO (5.9 and later), or the notes between {@code __start_notes} and its end. */
  static Optional<String> ofKernel(KernelPlace place, LinuxProgram program) {
    var noted = place.vmcoreinfo().flatMap(v -> v.buildId());
    if (noted.isPresent()) {
      return noted;
    }
    var start = program.address("__start_notes");
    var end = program.address("__stop_notes");
    if (start.isEmpty() || end.isEmpty()) {
      return Optional.empty();
    }
    long length = end.getAsLong() - start.getAsLong();
    if (length <= 0 || length > NOTES_LIMIT) {
      return Optional.empty();
    }
    try {
      return inNotes(Block.read(program.memory(), start.getAsLong(), (int) length));
    } catch (FathomException _) {
      return Optional.empty(); // Not in the dump.
    }
  }

  /** An ELF note is name size, descriptor size, type, then both, each padded to 4 bytes. */
  private static Optional<String> inNotes(Block notes) {
    int at = 0;
    while (at >= 0 && at <= notes.length() - NOTE_HEADER) {
      int nameSize = notes.i32(at);
      int size = notes.i32(at + 4);
      if (nameSize < 0 || size < 0 || nameSize > NOTES_LIMIT || size > NOTES_LIMIT) {
        return Optional.empty();
      }
      int name = at + NOTE_HEADER;
      int descriptor = name + ((nameSize + 3) & -4);
      if (notes.i32(at + 8) == BUILD_ID
          && nameSize == 4
          && notes.string(name, nameSize).equals("GNU")) {
        return hex(notes, descriptor, size);
      }
      at = descriptor + ((size + 3) & -4);
    }
    return Optional.empty();
  }

  /** {@code module.build_id} since 5.14, before in the notes that the module keeps. */
  static Optional<String> ofModule(LinuxProgram program, Layouts layouts, LoadedModule module) {
    try {
      var member = layouts.find("module", "build_id");
      if (member.isEmpty()) {
        return inSections(program.memory(), layouts, module);
      }
      int size = Math.min(member.get().bytes(), ID_LIMIT);
      return hex(
          Block.read(program.memory(), module.address() + member.get().offset(), size), 0, size);
    } catch (FathomException _) {
      return Optional.empty(); // Not in the dump.
    }
  }

  /**
   * {@code module.notes_attrs} (kernel/module.c): a count and an attribute for each section of
   * notes, whose {@code private} and {@code size} are the section's place.
   */
  private static Optional<String> inSections(Memory memory, Layouts layouts, LoadedModule module) {
    var stride = layouts.size("bin_attribute");
    long attributes = layouts.need("module", "notes_attrs").at(memory, module.address());
    if (attributes == 0 || stride.isEmpty()) {
      return Optional.empty(); // CONFIG_SYSFS is not set, or it has no notes.
    }
    long count = layouts.need("module_notes_attrs", "notes").at(memory, attributes);
    long first = attributes + layouts.need("module_notes_attrs", "attrs").offset();
    var place = layouts.need("bin_attribute", "private");
    var length = layouts.need("bin_attribute", "size");
    for (int i = 0; i < Math.min(count, SECTION_LIMIT); i++) {
      long attribute = first + (long) i * stride.getAsInt();
      long bytes = length.at(memory, attribute);
      if (bytes > 0 && bytes <= NOTES_LIMIT) {
        var found = inNotes(Block.read(memory, place.at(memory, attribute), (int) bytes));
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<String> hex(Block block, int offset, int size) {
    if (size < 1 || size > ID_LIMIT) {
      return Optional.empty();
    }
    var bytes = new byte[size];
    boolean any = false;
    for (int i = 0; i < size; i++) {
      bytes[i] = (byte) block.u8(offset + i);
      any |= bytes[i] != 0;
    }
    return any ? Optional.of(HexFormat.of().formatHex(bytes)) : Optional.empty();
  }
}
