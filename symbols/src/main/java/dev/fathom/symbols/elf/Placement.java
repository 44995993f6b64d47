// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.elf;

import dev.fathom.base.Range;
import java.util.List;
import java.util.OptionalLong;

/**
 * Where an ELF file was loaded: how its own numbering of virtual addresses ("file addresses")
 * relates to the target's. All additions wrap at 64 bits.
 */
public sealed interface Placement {

  /** The target's address of a file address; absent when that part was not loaded. */
  OptionalLong toTarget(long fileAddress);

  /** The file address of a target's address; absent when the file is not there. */
  OptionalLong toFile(long address);

  /** The file was loaded where it says. */
  static Placement asLinked() {
    return new Bias(0);
  }

  /** The whole file was moved by {@code bias} bytes: a shared object, a kernel with KASLR. */
  record Bias(long bias) implements Placement {
    @Override
    public OptionalLong toTarget(long fileAddress) {
      return OptionalLong.of(fileAddress + bias);
    }

    @Override
    public OptionalLong toFile(long address) {
      return OptionalLong.of(address - bias);
    }
  }

  /**
   * Each section was placed on its own, as Linux does with those of a module.
   *
   * @param pieces what was placed; no two overlap
   */
  record Sections(List<Piece> pieces) implements Placement {
    public Sections {
      pieces = List.copyOf(pieces);
    }

    @Override
    public OptionalLong toTarget(long fileAddress) {
      for (var piece : pieces) {
        if (piece.file().contains(fileAddress)) {
          return OptionalLong.of(piece.target() + (fileAddress - piece.file().start()));
        }
      }
      // A symbol at the very end of a section, such as __stop_text.
      for (var piece : pieces) {
        if (piece.file().end() == fileAddress) {
          return OptionalLong.of(piece.target() + (fileAddress - piece.file().start()));
        }
      }
      return OptionalLong.empty();
    }

    @Override
    public OptionalLong toFile(long address) {
      for (var piece : pieces) {
        long within = address - piece.target();
        if (Long.compareUnsigned(within, piece.file().end() - piece.file().start()) < 0) {
          return OptionalLong.of(piece.file().start() + within);
        }
      }
      return OptionalLong.empty();
    }
  }

  /**
   * A piece of a file.
   *
   * @param file its file addresses
   * @param target the target's address of its start
   */
  record Piece(Range file, long target) {}
}
