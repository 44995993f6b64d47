// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel;

import dev.fathom.model.Value;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A thread of the operating system.
 *
 * @param object the structure that describes it ({@code struct task_struct})
 * @param id thread id; 0 for idle threads; absent when it cannot be read
 * @param process process id (Linux: tgid); absent when it cannot be read
 * @param parent process id of the parent; 0 when there is none; absent when it cannot be read
 * @param name the command name
 * @param state {@code ps}'s state letter, such as {@code R S D T Z I}
 * @param cpu the CPU on which it runs or last ran
 * @param running whether it is on a CPU now
 * @param kernelThread whether it has no user memory of its own
 */
public record Task(
    Value object,
    OptionalLong id,
    OptionalLong process,
    OptionalLong parent,
    String name,
    char state,
    OptionalInt cpu,
    boolean running,
    boolean kernelThread) {
  /** Whether the thread is known to have that id. */
  public boolean hasId(long number) {
    return id.isPresent() && id.getAsLong() == number;
  }

  /** Whether it is a CPU's idle thread. */
  public boolean isIdle() {
    return hasId(0);
  }

  /** Whether it is the first thread of its process; one whose ids cannot be read counts as such. */
  public boolean isLeader() {
    return id.isEmpty() || process.isEmpty() || id.getAsLong() == process.getAsLong();
  }

  /** The id for messages: decimal, {@code ?} when it cannot be read. */
  public String idText() {
    return id.isPresent() ? Long.toString(id.getAsLong()) : "?";
  }
}
