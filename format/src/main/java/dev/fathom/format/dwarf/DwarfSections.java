// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.ByteSource;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * The sections of one file with DWARF, as the caller found them. Implementations answer the same
 * source for the same name each time and may be asked by several threads at once.
 */
public interface DwarfSections {
  /** The file's name for messages. */
  String name();

  /** The byte order of all sections. */
  ByteOrder order();

  /**
   * A section by its name in the file, such as {@code .debug_info} or {@code .debug_str.dwo}:
   * decompressed, and in relocatable files with the relocations applied. A section that was kept
   * under an old name for compressed ones, {@code .zdebug_info}, answers to its usual name. The
   * source is named after file and section, since that is what errors show. Empty when the file has
   * no such section, or has it without contents.
   *
   * @throws dev.fathom.base.FathomException when the section is there but cannot be had, such as a
   *     damaged compressed one
   */
  Optional<ByteSource> find(String section);

  /**
   * The supplementary file that {@code DW_FORM_strp_sup}, {@code DW_FORM_ref_sup4} and GNU's {@code
   * _alt} forms lead to, which {@code dwz} writes; found by {@code .gnu_debugaltlink} or {@code
   * .debug_sup}.
   */
  default Optional<DwarfSections> supplementary() {
    return Optional.empty();
  }

  /**
   * The {@code .dwo} file of a skeleton unit.
   *
   * @param name {@code DW_AT_dwo_name}, as it stands there
   * @param directory {@code DW_AT_comp_dir}, which relative names count from; may be empty
   * @param id the unit's id, which the file's unit must have; the reader checks that
   */
  default Optional<DwarfSections> split(String name, String directory, long id) {
    return Optional.empty();
  }

  /**
   * Which file {@link #split} would open, without opening it.
   *
   * @param name as for {@link #split}
   * @param directory as for {@link #split}
   */
  default Optional<SplitPart.Stamp> splitStamp(String name, String directory) {
    return Optional.empty();
  }

  /** Which file {@link #splitPackage} would open, without opening it. */
  default Optional<SplitPart.Stamp> splitPackageStamp() {
    return Optional.empty();
  }

  /** The package of {@code .dwo} files that belongs to this file, usually {@code FILE.dwp}. */
  default Optional<DwarfSections> splitPackage() {
    return Optional.empty();
  }
}
