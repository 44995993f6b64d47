// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel;

/**
 * The user memory of a process.
 *
 * @param virtual bytes that are mapped
 * @param resident bytes of them that are in memory
 */
public record MemoryUse(long virtual, long resident) {}
