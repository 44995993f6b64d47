/**
 * Runs the intermediate form on this machine, for engines that stop the target or replay a
 * recording. {@link dev.fathom.dtrace.run.Interpreter} turns a plan into closures once; an engine
 * calls it for each firing. May use base, model and the packages {@code ir}, {@code record} and
 * {@code probe} of this module.
 */
package dev.fathom.dtrace.run;
