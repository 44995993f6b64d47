/**
 * The target backend for memory that is already there: byte arrays at physical addresses. For tests
 * of kernel models over memory that they wrote themselves. Enters: bytes, registers, notes. May use
 * base, model and target.
 */
package dev.fathom.target.snapshot;
