// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

/** The spelling in which a command is typed. */
public enum Grammar {
  /** {@code address::name -options arguments}. */
  MDB,
  /** {@code name -options arguments}, as in the crash utility; arguments are C expressions. */
  CRASH
}
