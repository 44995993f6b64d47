// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.FaultException;
import dev.fathom.base.LongSet;
import dev.fathom.model.Memory;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The elements of a list whose links are pointers, one by one. The list ends at NULL, where it
 * started, at an element that points to itself, and at an end that was asked for. A list that
 * cannot be read on, comes back elsewhere or is endless ends there, and fails the command.
 */
public final class Links extends Lazily<Long> {
  /** More than any list that a kernel keeps and a person wants. */
  private static final int LIMIT = 20_000_000;

  private final Invocation call;
  private final Memory memory;
  private final long start;
  private final long offset;
  private OptionalLong end = OptionalLong.empty();
  private final LongSet seen = new LongSet();
  private OptionalLong at = OptionalLong.empty();
  private boolean headed;
  private boolean roundFromFirst;
  private OptionalLong first = OptionalLong.empty();
  private int count;

  private Links(Invocation call, long start, long offset) {
    this.call = call;
    this.memory = call.program().memory();
    this.start = start;
    this.offset = offset;
  }

  /** From the element at {@code start}, each with a pointer to the next at {@code offset}. */
  public static Links from(Invocation call, long start, long offset) {
    return new Links(call, start, offset);
  }

  /** Leaves out the element at the start, which is only the list's head. */
  public Links withoutHead() {
    headed = true;
    return this;
  }

  /** Ends the list in front of the element at {@code address}. */
  public Links until(long address) {
    end = OptionalLong.of(address);
    return this;
  }

  /** Ends the list also where it comes back to the element behind its start. */
  public Links endingAtFirst() {
    roundFromFirst = true;
    return this;
  }

  @Override
  protected Optional<Long> advance() {
    if (headed) {
      headed = false;
      seen.add(start);
      at = OptionalLong.of(start);
    }
    var element = at.isPresent() ? next(at.getAsLong()) : Optional.of(start);
    if (element.isEmpty() || end.equals(OptionalLong.of(element.get()))) {
      return Optional.empty();
    }
    if (!seen.add(element.get())) {
      if (roundFromFirst && first.equals(OptionalLong.of(element.get()))) {
        return Optional.empty();
      }
      call.fail(
          "the list runs in a circle that does not include its start: at 0x"
              + Long.toHexString(element.get()));
      return Optional.empty();
    }
    if (count++ == LIMIT) {
      call.fail("the list was cut after " + LIMIT + " elements");
      return Optional.empty();
    }
    if (at.isPresent() && first.isEmpty()) {
      first = OptionalLong.of(element.get());
    }
    at = OptionalLong.of(element.get());
    return element;
  }

  private Optional<Long> next(long from) {
    try {
      long next = memory.pointer(from + offset);
      return next == 0 || next == start || next == from ? Optional.empty() : Optional.of(next);
    } catch (FaultException e) {
      call.fail(
          "failed to read next pointer from object 0x"
              + Long.toHexString(from)
              + ": "
              + e.reason().text());
      return Optional.empty();
    }
  }
}
