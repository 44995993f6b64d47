/**
 * VMware VProbes scripts, read as D: the Lisp form ({@link dev.fathom.dtrace.vprobe.LispReader})
 * and Emmett ({@link dev.fathom.dtrace.vprobe.EmmettParser}) become the same {@link
 * dev.fathom.dtrace.vprobe.Form}s, which {@link dev.fathom.dtrace.vprobe.Vprobes} turns into D's
 * syntax tree for the compiler. What a debugger cannot serve is refused by its name. Facts:
 * vprobe-toolkit 2020-01 (its compiler and scripts). May use base and {@code syntax}.
 */
package dev.fathom.dtrace.vprobe;
