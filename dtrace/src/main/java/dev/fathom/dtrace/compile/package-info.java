/**
 * From a syntax tree to the intermediate form, in passes: {@code parse} (in {@code dtrace.syntax}),
 * {@code expand} (probe descriptions to probes), {@code resolve} (what each name stands for),
 * {@code type} (C's rules and D's; a typed tree in terms of D), {@code check} (order of actions in
 * a clause, what needs {@code -w}), {@code lower} (places to loads and stores, conversions to
 * extensions) and {@code verify}. {@link dev.fathom.dtrace.compile.Compiler} runs them and shows
 * what each made. Errors are {@link dev.fathom.base.ProgramException}. May use base, model and the
 * packages {@code syntax}, {@code ir} and {@code probe} of this module.
 */
package dev.fathom.dtrace.compile;
