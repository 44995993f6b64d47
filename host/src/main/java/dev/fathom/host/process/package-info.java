/**
 * ptrace(2), waitpid(2) and posix_spawn(3) of this machine's C library, one call each, and the
 * timer that ends a wait. Enters: numbers of threads and register sets as bytes. May use base, the
 * target's interfaces and native calls; knows nothing of breakpoints or of what a process is.
 */
package dev.fathom.host.process;
