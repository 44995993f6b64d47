/**
 * Finds a Linux kernel: in physical memory by VMCOREINFO, by CPU state, by the shape of its page
 * tables; in virtual memory alone by the direct map, and by the kernel's own file where the user
 * named it; in a process. Enters: a target. May use base, model, format.elf, format.vmcoreinfo,
 * symbols.index and target; knows no types, and no symbols but those few of a named file.
 */
package dev.fathom.kernel.linux.boot;
