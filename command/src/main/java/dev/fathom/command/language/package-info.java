/**
 * mdb's language: {@code Parser} turns text into {@code Statement}s, {@code Evaluator} computes
 * expressions, {@code Pipeline} runs stages and {@code Interpreter} ties them to a session and a
 * sink. Enters: command lines. May use {@code command}, session, kernel, model and base.
 */
package dev.fathom.command.language;
