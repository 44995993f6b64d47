/**
 * How the kernel keeps things in memory: blocks of bytes, member offsets, lists and trees. Enters:
 * a program or an address space. May use base and model; knows no task, module or other subsystem.
 */
package dev.fathom.kernel.linux.data;
