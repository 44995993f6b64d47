/**
 * Commands that stop, step and continue a live target, in mdb's and gdb's spelling; one class each.
 * Enters: calls. May use {@code command} and the engine in {@code session.control}; other groups of
 * commands are none of its business.
 */
package dev.fathom.command.control;
