// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.consume;

/** Takes what went wrong while a program ran, a line each, for people. */
public interface Problems {
  void tell(String line);
}
