/**
 * The target backend for what is in files alone: crash dumps (ELF vmcores, kdump-compressed files
 * and split sets of them, flattened streams of either), cores of processes with the files that were
 * mapped, and programs that nobody has started. Files are mapped read-only and read when asked.
 * Enters: paths; may use {@code format}'s elf, kdump, flattened and compress packages. Registered
 * as a {@link dev.fathom.target.TargetProvider}; nothing outside uses it directly.
 */
package dev.fathom.target.dump;
