// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.language;

/** Where the user is: dot, how far the last command went from it, and the address used last. */
final class Position {
  private long dot;
  private long increment;
  private long lastAddress;

  long dot() {
    return dot;
  }

  void dot(long address) {
    dot = address;
  }

  long increment() {
    return increment;
  }

  void increment(long bytes) {
    increment = bytes;
  }

  long lastAddress() {
    return lastAddress;
  }

  void lastAddress(long address) {
    lastAddress = address;
  }
}
