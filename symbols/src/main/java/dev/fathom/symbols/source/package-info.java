// SPDX-License-Identifier: Apache-2.0
/**
 * The source of code from DWARF: lines, inlined functions, and where variables are in a frame. An
 * opened file of {@code format.dwarf} and its types enter; may use {@code format}, {@code model}
 * and {@code symbols.dwarf}.
 */
package dev.fathom.symbols.source;
