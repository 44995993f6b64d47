// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import java.nio.ByteOrder;

/**
 * The ELF header, with the specification's names.
 *
 * @param is64 ELFCLASS64 rather than ELFCLASS32
 * @param order ELFDATA2LSB or ELFDATA2MSB
 * @param type {@code e_type}
 * @param machine {@code e_machine}
 * @param entry {@code e_entry}, a virtual address
 * @param phoff file offset of the program headers
 * @param shoff file offset of the section headers, 0 when there are none
 * @param flags {@code e_flags}
 * @param phentsize size of a program header in bytes
 * @param phnum number of program headers, {@link Elf#PN_XNUM} already resolved
 * @param shentsize size of a section header in bytes
 * @param shnum number of section headers as the header states it (0 for none, or when section 0
 *     holds the number)
 * @param shstrndx number of the section with the sections' names as the header states it ({@link
 *     Elf#SHN_UNDEF} for none, {@link Elf#SHN_XINDEX} when section 0 holds it)
 */
public record ElfHeader(
    boolean is64,
    ByteOrder order,
    int type,
    int machine,
    long entry,
    long phoff,
    long shoff,
    int flags,
    int phentsize,
    long phnum,
    int shentsize,
    int shnum,
    int shstrndx) {}
