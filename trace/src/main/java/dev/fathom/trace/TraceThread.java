// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace;

import java.util.OptionalLong;

/**
 * Who an event happened to.
 *
 * @param id what tells the thread from others: OSv's address of {@code sched::thread}, a thread's
 *     number elsewhere
 * @param process the process's number, where there are processes
 * @param name the thread's name when the event happened
 */
public record TraceThread(long id, OptionalLong process, String name) {}
