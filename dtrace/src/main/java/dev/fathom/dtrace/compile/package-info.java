/**
 * From a syntax tree to the intermediate form, in passes: {@code parse} (in {@code dtrace.syntax}),
 * {@code expand} (probe descriptions to probes), {@code lower} (names resolved, types checked by
 * C's rules and D's, each expression turned into the intermediate form as its type is known),
 * {@code check} (order of actions in a clause, what needs {@code -w}, what the engine can serve)
 * and {@code verify}. {@link dev.fathom.dtrace.compile.Compiler} runs them and shows what each
 * made. Errors are {@link dev.fathom.base.ProgramException}. May use base, model and the packages
 * {@code syntax}, {@code ir} and {@code probe} of this module.
 */
package dev.fathom.dtrace.compile;
