// SPDX-License-Identifier: Apache-2.0
/**
 * The source of the code in a target: lines, functions that were inlined, variables of frames. What
 * knows it ({@code symbols} over DWARF) implements {@link dev.fathom.model.source.SourceInfo};
 * commands see this vocabulary only.
 */
package dev.fathom.model.source;
