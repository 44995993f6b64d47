/**
 * The engine that traces by stopping: a guest or a process is stopped where a probe is, by a
 * breakpoint of {@code session.control}, the clauses run here, and it goes on. Needs nothing in the
 * target. Providers: {@code fbt}, {@code instr}, {@code syscall}, {@code pid}, {@code profile}.
 * Where only {@code profile} and {@code tick} are enabled there are no breakpoints, and the target
 * stands still only for the moments in which samples are taken. Enters: a session. May use base,
 * model, target, kernel, session, and of dtrace {@code ir}, {@code probe}, {@code record} and
 * {@code run}.
 */
package dev.fathom.dtrace.stop;
