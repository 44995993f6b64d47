/**
 * Unwind rules in one form for every source, frames and backtraces. Enters: rows from unwind
 * sources, registers. May use base and model.
 */
package dev.fathom.model.unwind;
