/**
 * The kernel's log in the forms that kernels keep it in. Enters: memory, symbols, types and
 * VMCOREINFO. May use base, model, format.vmcoreinfo and kernel.linux.data.
 */
package dev.fathom.kernel.linux.log;
