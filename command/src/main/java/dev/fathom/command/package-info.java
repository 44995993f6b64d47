/** The command language and the commands. */
package dev.fathom.command;
