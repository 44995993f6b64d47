/**
 * Guests of a QEMU on this host, looked at while they run: their memory is read in place from the
 * QEMU process, and the machine protocol (QMP) tells where in the process it is, the CPUs'
 * registers and what the machine does.
 *
 * <p>Owns the protocol's client, the reading of guest memory in place and the search for a
 * process's sockets; what the monitor prints is read by {@code target.monitor}. Addresses such as
 * {@code qemu:PID} enter, a {@link dev.fathom.target.Target} leaves. Uses the JDK's channels and
 * {@code /proc}; no native code.
 */
package dev.fathom.target.qemu;
