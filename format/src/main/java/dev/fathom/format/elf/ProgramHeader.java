// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

/**
 * A program header, with the specification's names.
 *
 * @param type {@code p_type}
 * @param flags {@code p_flags}
 * @param offset file offset of the segment's bytes
 * @param vaddr virtual address; QEMU writes 0 into dumps without paging
 * @param paddr physical address; all ones where Linux knows none ({@code /proc/kcore}, vmalloc)
 * @param filesz bytes in the file
 * @param memsz bytes in memory; what exceeds {@code filesz} is not in the file
 * @param align {@code p_align}
 */
public record ProgramHeader(
    int type,
    int flags,
    long offset,
    long vaddr,
    long paddr,
    long filesz,
    long memsz,
    long align) {}
