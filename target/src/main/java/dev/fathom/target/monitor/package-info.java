/**
 * Reads what QEMU's monitor for people prints: where memory is, what is in registers. Text enters,
 * values leave; how the text was got, by the machine protocol or through the gdb stub, is the
 * backends' business.
 */
package dev.fathom.target.monitor;
