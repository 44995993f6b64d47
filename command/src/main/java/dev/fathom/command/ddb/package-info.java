/**
 * The everyday commands of the BSDs' kernel debugger where they are no words of crash's or gdb's.
 * Enters: calls by the interpreter with words. Each is another command's spelling and may use the
 * command interface alone.
 */
package dev.fathom.command.ddb;
