/**
 * Finds a Linux kernel in physical memory: by VMCOREINFO, by CPU state, by the shape of its page
 * tables. Enters: a target. May use base, model, format.vmcoreinfo and target; knows no symbols and
 * no types.
 */
package dev.fathom.kernel.linux.boot;
