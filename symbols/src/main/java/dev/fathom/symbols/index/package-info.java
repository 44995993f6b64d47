/**
 * The index on disk: what opening a kernel's tables computes, kept under the kernel's build-id so
 * that the next dump of the same kernel opens faster. Owns the folder and the files in it; tables
 * of {@code format} enter, opened tables come out. May use {@code format} and {@code symbols}.
 * Nothing depends on the index: without it, or when it is damaged, everything is computed anew.
 */
package dev.fathom.symbols.index;
