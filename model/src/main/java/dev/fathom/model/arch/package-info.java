/**
 * CPU facts: what a register file, a page table and an instruction look like. Enters: bytes and
 * memory. May use base and the rest of model.
 */
package dev.fathom.model.arch;
