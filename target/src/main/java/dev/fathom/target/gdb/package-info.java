/**
 * The target backend for everything that speaks gdb's remote serial protocol: QEMU's stub,
 * gdbserver, KGDB and the like. Layers, from the socket up: {@link dev.fathom.target.gdb.Wire}
 * (bytes with deadlines), {@link dev.fathom.target.gdb.PacketReader} and {@link
 * dev.fathom.target.gdb.PacketWriter} (frames), {@link dev.fathom.target.gdb.Link} (requests and
 * their replies, stops between them), {@link dev.fathom.target.gdb.GdbTarget} (the target). What
 * the peer sends is hostile input: lengths, counts, depths and times are bounded. Enters: an
 * address; may use {@code model}'s register files. Registered as a {@link
 * dev.fathom.target.LiveTargetProvider}; nothing outside uses it directly.
 *
 * <p>The protocol is described in gdb's manual, appendix "gdb Remote Serial Protocol"; what QEMU's
 * stub does beyond it or otherwise, in its gdbstub.c (7.2) and gdbstub directory (since 8.0).
 */
package dev.fathom.target.gdb;
