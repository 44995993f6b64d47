// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel;

import dev.fathom.model.Value;
import java.util.OptionalInt;

/**
 * A thread of the operating system.
 *
 * @param object the structure that describes it ({@code struct task_struct})
 * @param id thread id; 0 for idle threads
 * @param process process id (Linux: tgid)
 * @param parent process id of the parent; 0 when there is none
 * @param name the command name
 * @param state {@code ps}'s state letter, such as {@code R S D T Z I}
 * @param cpu the CPU on which it runs or last ran
 * @param running whether it is on a CPU now
 * @param kernelThread whether it has no user memory of its own
 */
public record Task(
    Value object,
    long id,
    long process,
    long parent,
    String name,
    char state,
    OptionalInt cpu,
    boolean running,
    boolean kernelThread) {}
