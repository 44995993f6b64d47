/**
 * The everyday commands of the crash utility as its users type them, one class each. Enters: calls
 * by the interpreter with words; expressions are C ({@code lang}). May use the command interface,
 * {@code lang} and the kernel.
 */
package dev.fathom.command.crash;
