/**
 * Linux on x86-64, from 4.19 on: found in a target, its tasks, CPUs, modules, log and memory.
 * Enters: a target. May use base, format, model, symbols and target. Members of structures are
 * probed, never versions; each alternative says which kernels have it.
 */
package dev.fathom.kernel.linux;
