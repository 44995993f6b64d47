// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import dev.fathom.kernel.PageClasses;
import java.util.Map;

/**
 * What became of the machine's pages.
 *
 * @param pages page frames that the machine has
 * @param stored pages in the dump, those of zeros too unless they were left out
 * @param zero pages of zeros, which take no room whether in the dump or left out of it (ELF only)
 * @param excluded pages left out by what they are used for
 * @param missing pages that the source lacks
 * @param unreadable pages that could not be read
 * @param bytes bytes written
 */
public record DumpReport(
    long pages,
    long stored,
    long zero,
    Map<PageClasses.Use, Long> excluded,
    long missing,
    long unreadable,
    long bytes) {}
