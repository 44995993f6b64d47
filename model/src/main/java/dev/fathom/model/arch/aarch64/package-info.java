/**
 * The facts of 64-bit Arm: registers, page tables, instructions. Enters: registers, memory, code
 * bytes. May use base and the rest of model.
 */
package dev.fathom.model.arch.aarch64;
