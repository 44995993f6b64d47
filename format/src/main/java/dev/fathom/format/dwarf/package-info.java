// SPDX-License-Identifier: Apache-2.0
/**
 * DWARF, versions 2 to 5. Enters: the bytes of single sections and what else their unit says (byte
 * order, sizes); nothing is opened or relocated here. Call frame information, line programs,
 * expressions, lists of ranges and locations.
 */
package dev.fathom.format.dwarf;
