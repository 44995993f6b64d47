/**
 * The engine that traces by stopping: a guest or a process is stopped where a probe is, by a
 * breakpoint of {@code session.control} or at a system call, the clauses run here, and it goes on.
 * Needs nothing in the target. Providers: {@code fbt}, {@code instr}, {@code syscall}, {@code
 * proc}, {@code sched}, {@code io}, {@code sdt}, {@code pid}, those that a program was compiled
 * with, {@code profile}. Where only {@code profile} and {@code tick} are enabled on a guest there
 * are no breakpoints, and it stands still only for the moments in which samples are taken. {@code
 * PlacedProbes} has the probes at places, {@code Sampler} those of time. Enters: a session. May use
 * base, format, model, target, kernel, session, and of dtrace {@code ir}, {@code probe}, {@code
 * record}, {@code replay} and {@code run}.
 */
package dev.fathom.dtrace.stop;
