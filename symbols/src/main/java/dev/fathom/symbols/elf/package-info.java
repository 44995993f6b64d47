/**
 * Symbols out of ELF files, and where such files were placed in the target. Opened files of {@code
 * format.elf} enter; symbol tables of {@code model} go out. May use {@code format}, {@code model}
 * and the parent package.
 */
package dev.fathom.symbols.elf;
