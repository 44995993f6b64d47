/**
 * DWARF turned into what the model asks for: types, and the types of variables and functions. Owns
 * how entries become types, how the same type of many units becomes one, and the index of names on
 * disk; files with DWARF enter, opened by {@code format.dwarf}. May use {@code format}, {@code
 * model} and {@code symbols.index}.
 */
package dev.fathom.symbols.dwarf;
