/**
 * gdb's commands for values, memory and types, as typed. Enters: an {@link
 * dev.fathom.command.Invocation}; leaves: values and data. Breakpoints and steps are {@code
 * command.control}'s. May use the command package.
 */
package dev.fathom.command.gdb;
