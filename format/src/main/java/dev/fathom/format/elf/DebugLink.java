// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

/**
 * What {@code .gnu_debuglink} says (GDB manual, "Debugging Information in Separate Files"): the
 * debug file's name without folder, NUL, padding to 4, and the CRC-32 of its content.
 *
 * @param crc32 as {@link java.util.zip.CRC32} computes it
 */
public record DebugLink(String fileName, long crc32) {}
