/**
 * kallsyms, the compressed symbol table that a Linux kernel carries in its read-only data. Owns the
 * tables' encodings ({@link dev.fathom.format.kallsyms.Kallsyms}) and the search for them by their
 * shape ({@link dev.fathom.format.kallsyms.KallsymsFinder}); bytes of kernel memory enter. Uses
 * {@code base} only.
 */
package dev.fathom.format.kallsyms;
