/**
 * ORC, the unwind tables that x86-64 Linux kernels carry in memory
 * (arch/x86/include/asm/orc_types.h). Owns their encodings and how to tell one from the other; the
 * bytes of the two tables enter. Uses {@code base} only.
 */
package dev.fathom.format.orc;
