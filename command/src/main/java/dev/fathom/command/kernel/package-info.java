/**
 * Commands about tasks, CPUs, modules and the log of whatever kernel was found, in mdb's spelling,
 * one class each. Enters: calls by the interpreter. May use the command interface and {@link
 * dev.fathom.kernel.Kernel}; nothing here knows a particular operating system.
 */
package dev.fathom.command.kernel;
