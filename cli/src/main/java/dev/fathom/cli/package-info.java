/** The program: arguments, terminal, progress, demo. */
package dev.fathom.cli;
