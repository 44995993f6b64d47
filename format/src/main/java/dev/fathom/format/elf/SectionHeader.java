// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

/**
 * A section header, with the specification's names.
 *
 * @param index the section's number
 * @param name its name; empty where the file has no names
 * @param type {@code sh_type}
 * @param flags {@code sh_flags}
 * @param addr virtual address; 0 in relocatable files and in sections that are not loaded
 * @param offset file offset of the section's bytes
 * @param size bytes in memory, and in the file unless the type is {@link Elf#SHT_NOBITS}
 * @param link {@code sh_link}, a section's number
 * @param info {@code sh_info}
 * @param align {@code sh_addralign}
 * @param entsize bytes of an entry, in sections of entries
 */
public record SectionHeader(
    int index,
    String name,
    int type,
    long flags,
    long addr,
    long offset,
    long size,
    int link,
    int info,
    long align,
    long entsize) {
  /** Whether the section takes memory when the file is loaded. */
  public boolean isLoaded() {
    return (flags & Elf.SHF_ALLOC) != 0;
  }

  /** Whether a virtual address as the file numbers them lies in the section. */
  public boolean contains(long address) {
    return Long.compareUnsigned(address - addr, size) < 0;
  }
}
