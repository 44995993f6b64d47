// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.probe;

/**
 * A file that D asks for.
 *
 * @param path as the traced system names it
 * @param fileSystem the type of its file system; empty where it cannot be told
 * @param mount where that is mounted; empty where it cannot be told
 * @param offset in bytes from the file's beginning
 * @param flags of open(2)
 */
public record TracedFile(String path, String fileSystem, String mount, long offset, long flags) {}
