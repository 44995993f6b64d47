/**
 * BTF, the type information that Linux kernels carry in memory (Documentation/bpf/btf.rst,
 * include/uapi/linux/btf.h). Owns the encoding of all kinds up to ENUM64, split BTF included; a
 * section's bytes enter, {@link dev.fathom.format.btf.BtfType} records come out. Uses {@code base}
 * only.
 */
package dev.fathom.format.btf;
