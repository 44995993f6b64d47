// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

/**
 * A file that a process has open.
 *
 * @param path as the process's system names it; {@code pipe:[number]} and the like for what has
 *     none
 * @param fileSystem the type of its file system ({@code ext4}); empty where it cannot be told
 * @param mount where that is mounted; empty where it cannot be told
 * @param offset in bytes from the file's beginning
 * @param flags of open(2)
 */
public record OpenFile(String path, String fileSystem, String mount, long offset, long flags) {}
