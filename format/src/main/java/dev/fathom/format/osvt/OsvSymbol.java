// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.osvt;

/**
 * A symbol that the guest listed (chunk {@code SYMB}).
 *
 * @param name demangled by the guest
 * @param address in the guest
 * @param file the source file; empty when the guest knows none
 */
public record OsvSymbol(String name, long address, long size, String file) {}
