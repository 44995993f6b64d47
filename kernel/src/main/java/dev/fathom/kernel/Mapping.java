// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel;

import dev.fathom.base.Range;

/**
 * A range of virtual addresses and what it holds: a region of the kernel's layout or a mapping of a
 * process.
 *
 * @param protection as in {@code /proc/PID/maps}: {@code rwxp}; empty for regions of the kernel's
 *     layout
 * @param name {@code direct map}, {@code vmalloc}, a module, a file's path, {@code [stack]}
 */
public record Mapping(Range range, String protection, String name) {}
