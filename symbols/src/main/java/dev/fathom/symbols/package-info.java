/** Turns formats into symbol tables, type sources and unwind sources. */
package dev.fathom.symbols;
