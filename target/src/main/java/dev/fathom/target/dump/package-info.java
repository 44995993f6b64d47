/**
 * The target backend for crash dumps in files: ELF vmcores, kdump-compressed files and split sets
 * of them, and flattened streams of either. Files are mapped read-only and read when asked. Enters:
 * paths; may use {@code format}'s elf, kdump, flattened and compress packages. Registered as a
 * {@link dev.fathom.target.TargetProvider}; nothing outside uses it directly.
 */
package dev.fathom.target.dump;
