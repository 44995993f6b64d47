// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

/** Attaches to one family of live targets; found with {@link java.util.ServiceLoader}. */
public interface LiveTargetProvider {
  String name();

  /** The forms of address that it takes, for the help: {@code HOST:PORT}, {@code qemu:PID}. */
  java.util.List<String> forms();

  /** Whether {@code address} has one of the {@link #forms}. */
  boolean accepts(String address);

  /** What is wrong with an address that almost has one of the {@link #forms}. */
  default java.util.Optional<String> flaw(String address) {
    return java.util.Optional.empty();
  }

  /**
   * Attaches.
   *
   * @throws dev.fathom.base.FathomException in one line: nobody answers, not permitted, not what
   *     the address says
   */
  Target attach(String address, AttachOptions options);
}
