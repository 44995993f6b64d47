/**
 * A plain process of Linux as a program to look at: the objects that are loaded into it with their
 * symbols and call frame information, its threads and their stacks. Enters: a target that is a
 * {@link dev.fathom.target.ProcessView} with virtual memory, alive or a core file. May use base,
 * format, model, symbols and target; knows no debugger protocol and no ptrace.
 */
package dev.fathom.kernel.process;
