// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

/** Who may use a member or base of a class, as C++ declares it. */
public enum Access {
  PUBLIC("public"),
  PROTECTED("protected"),
  PRIVATE("private");

  private final String keyword;

  Access(String keyword) {
    this.keyword = keyword;
  }

  public String keyword() {
    return keyword;
  }
}
