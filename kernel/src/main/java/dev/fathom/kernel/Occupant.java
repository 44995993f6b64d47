// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel;

/**
 * A thread that is on a CPU, by virtual addresses alone.
 *
 * @param thread its structure, as in {@link Kernel#task}
 * @param stack the lowest byte of its kernel stack
 */
public record Occupant(long thread, long stack) {}
