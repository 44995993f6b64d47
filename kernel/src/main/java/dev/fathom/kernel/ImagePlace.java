// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel;

import dev.fathom.base.Range;

/**
 * Where a kernel's image is, and where the kernel sees all of physical memory.
 *
 * @param image its virtual addresses, in whole pages
 * @param physical the physical address of its first byte; the others follow without a gap
 * @param directMap the virtual address at which the kernel sees physical address 0
 */
public record ImagePlace(Range image, long physical, long directMap) {}
