// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

/** The program's own output, for as long as a shell command writes to it. */
public interface Screen {
  /** Whether a shell command may also read what the user types. */
  boolean interactive();

  /** A shell command starts: nothing but errors is written until {@link #takeBack}. */
  void lend();

  void takeBack();
}
