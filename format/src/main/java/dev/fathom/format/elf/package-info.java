/**
 * The Executable and Linkable Format for reading, of 32 and 64 bits and both byte orders: headers,
 * program headers, sections (decompressed and, in relocatable files, relocated), symbol tables, the
 * dynamic segment, notes, what leads to a separate debug file; and the notes that describe CPUs of
 * a crashed kernel. Bytes come in through {@link dev.fathom.base.ByteSource}; records go out. May
 * use {@code base}, the JDK's inflater, zstd-jni and xz.
 */
package dev.fathom.format.elf;
