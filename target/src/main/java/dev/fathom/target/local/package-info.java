/**
 * Processes of a Linux machine as the kernel's files and notes tell of them: the memory of one on
 * this host, what {@code /proc/PID} says, and the layout of its threads' registers, which is the
 * same in ptrace and in core files. No backend, but read by several. Uses the JDK's channels; no
 * native code.
 */
package dev.fathom.target.local;
