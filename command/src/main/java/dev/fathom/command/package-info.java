/**
 * What a command is and how it is called. Enters: calls made by the interpreter ({@code
 * command.language}). Commands live in packages of their own, one class each, and are found through
 * a {@link dev.fathom.command.CommandGroup}; {@code command.standard} lists the groups. May use the
 * session, kernel and model; never prints and never makes text for people.
 */
package dev.fathom.command;
