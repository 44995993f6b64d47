// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch;

/**
 * Makes disassemblers; found with {@link java.util.ServiceLoader}. A provider does nothing until
 * {@link #create} is called, so that listing the providers costs nothing.
 */
public interface DisassemblerProvider {
  /** A short name to choose it by, such as {@code capstone}. */
  String name();

  /** Where it comes from, for people, without touching it. */
  String description();

  /** Whether it knows {@link Architecture#name}. */
  boolean supports(String architecture);

  /** The provider with the larger number is tried first. */
  int priority();

  /**
   * A new disassembler.
   *
   * @throws dev.fathom.base.UnsupportedException when this machine lacks what it needs, saying what
   */
  Disassembler create(String architecture, Syntax syntax);
}
