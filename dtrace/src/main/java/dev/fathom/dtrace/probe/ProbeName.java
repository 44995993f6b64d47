// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.probe;

/** The four names of a probe; module and function may be empty. */
public record ProbeName(String provider, String module, String function, String name) {
  /** {@code provider:module:function:name}. */
  @Override
  public String toString() {
    return provider + ":" + module + ":" + function + ":" + name;
  }
}
