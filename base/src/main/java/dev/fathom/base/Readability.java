// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

/**
 * Whether, and if not why not, the byte at an address can be read. A page that is missing never
 * looks like zeros.
 */
public enum Readability {
  READABLE("readable"),
  /** No translation leads to the address, or no memory is there. */
  UNMAPPED("no mapping for address"),
  /**
   * The operating system has a mapping, but the page is elsewhere (swapped out, not yet faulted
   * in).
   */
  NOT_PRESENT("page not present"),
  /** The page existed, but the dump's writer left it out. */
  NOT_DUMPED("page not in the dump"),
  /** The compiler did not keep this part of a variable. */
  OPTIMISED_OUT("optimized out"),
  /** This part of a variable is in a register whose value is not known in its frame. */
  NOT_SAVED("not saved"),
  /**
   * The page should be there, but reading it failed (corrupt compressed data, truncated file, lost
   * connection).
   */
  ERROR("read error");

  private final String text;

  Readability(String text) {
    this.text = text;
  }

  /** The words that people see. */
  public String text() {
    return text;
  }
}
