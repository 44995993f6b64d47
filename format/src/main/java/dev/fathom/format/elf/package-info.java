/**
 * The Executable and Linkable Format, as far as core dumps need it: headers, program headers and
 * notes, of 32 and 64 bits and both byte orders; and the notes that describe CPUs of a crashed
 * kernel. Bytes come in through {@link dev.fathom.base.ByteSource}; records go out. May use {@code
 * base} only.
 */
package dev.fathom.format.elf;
