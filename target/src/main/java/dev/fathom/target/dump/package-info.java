/**
 * The target backend for crash dumps in files: ELF vmcores, kdump-compressed files and split sets
 * of them, flattened streams of either, and cores of processes with the files that were mapped.
 * Files are mapped read-only and read when asked. Enters: paths; may use {@code format}'s elf,
 * kdump, flattened and compress packages. Registered as a {@link dev.fathom.target.TargetProvider};
 * nothing outside uses it directly.
 */
package dev.fathom.target.dump;
