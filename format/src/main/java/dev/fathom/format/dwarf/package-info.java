// SPDX-License-Identifier: Apache-2.0
/**
 * DWARF 2 to 5, the debug information that compilers write (dwarfstd.org; GNU's extensions as
 * binutils and gcc document them). Owns units, abbreviations, forms, entries, the tables that lead
 * to them and what stands beside them: call frame information, line programs, expressions, lists of
 * ranges and locations. Sections enter through {@link dev.fathom.format.dwarf.DwarfSections}, which
 * the caller supplies, decompressed and relocated, or one by one with what else their unit says;
 * entries and their attributes come out, each decoded when asked for. Uses {@code base} only.
 *
 * <p>{@link dev.fathom.format.dwarf.Dwarf} is one file; {@link dev.fathom.format.dwarf.Unit} has
 * what its parts share: version, sizes, bases; {@link dev.fathom.format.dwarf.Die} is one entry.
 * {@link dev.fathom.format.dwarf.Forms} reads single values for those tables that use forms outside
 * of entries, such as the line number program's header.
 */
package dev.fathom.format.dwarf;
