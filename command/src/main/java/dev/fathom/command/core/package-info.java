/**
 * mdb's commands that know nothing of an operating system: walking, printing, types, symbols,
 * memory, code, variables, help; one class each. Enters: calls. May use {@code command}; other
 * groups of commands are none of its business.
 */
package dev.fathom.command.core;
