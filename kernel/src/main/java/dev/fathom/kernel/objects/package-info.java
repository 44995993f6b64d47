/**
 * The ELF objects that are loaded into a process: their symbols and call frame information, read
 * from their files if these are the ones that run, else from memory; the names that a stripped one
 * lost are its debug file's, where the session finds one. No kernel, but what both a plain process
 * and a Linux that runs as one are made of. Enters: a {@link dev.fathom.target.ProcessView} and its
 * memory. May use base, format, model, symbols and target.
 */
package dev.fathom.kernel.objects;
