// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.control;

import dev.fathom.target.Breakpoints;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * One entry of the table: a place in code or data that stops the target, and when the user wants to
 * know of it. Lives as long as the entry; confined to the session's thread.
 */
public final class Breakpoint {
  /** Where it is. */
  public sealed interface Place {
    /** Where the user said. */
    String text();

    /** The module that it names; empty when it names none. */
    default String module() {
      return "";
    }
  }

  /** Code or data at an address. */
  public record At(long address, String text) implements Place {}

  /**
   * The first symbol of a name and a distance from it; looked up again whenever modules may have
   * come or gone.
   *
   * @param name as symbol tables take it: {@code vfs_read}, {@code loop`lo_ioctl}
   */
  public record Named(String name, long offset, String text) implements Place {
    @Override
    public String module() {
      return moduleOf(name);
    }
  }

  /**
   * All functions of a name and their inlined copies; looked up again when other modules are
   * loaded.
   *
   * @param file the source file that they are in, a path or the end of one; empty for any
   * @param name as {@link dev.fathom.session.NamedCode} takes it
   * @param body whether behind what makes their frames, where their arguments are in place
   */
  public record Function(String file, String name, boolean body, String text) implements Place {
    @Override
    public String module() {
      return moduleOf(name);
    }
  }

  /**
   * A line of the source: wherever code of it begins, in every function that it was inlined into.
   * Looked up again when other modules are loaded.
   *
   * @param file a path or the end of one, at a slash
   * @param line from 1
   */
  public record Line(String file, int line, String text) implements Place {}

  private static String moduleOf(String name) {
    return name.substring(0, Math.max(0, name.indexOf('`')));
  }

  private final int id;
  private final Place place;
  private final Breakpoints.Kind kind;
  private final int length;
  private final Optional<String> purpose;
  private List<Long> addresses = List.of();
  private boolean enabled = true;
  private boolean temporary;
  private boolean disableOnHit;
  private long ignore;
  private long hits;
  private Optional<Condition> condition = Optional.empty();
  private List<String> commands = List.of();
  private OptionalLong thread = OptionalLong.empty();
  private OptionalInt cpu = OptionalInt.empty();
  private Optional<byte[]> value = Optional.empty();

  Breakpoint(int id, Place place, Breakpoints.Kind kind, int length, Optional<String> purpose) {
    this.id = id;
    this.place = place;
    this.kind = kind;
    this.length = length;
    this.purpose = purpose;
  }

  /** Its number in the table, from 1. */
  public int id() {
    return id;
  }

  public Place place() {
    return place;
  }

  public Breakpoints.Kind kind() {
    return kind;
  }

  /** Whether it watches data. */
  public boolean watches() {
    return kind != Breakpoints.Kind.SOFTWARE && kind != Breakpoints.Kind.HARDWARE;
  }

  /** Bytes watched; 1 for code. */
  public int length() {
    return length;
  }

  /** What it is for when the user did not name the place himself: {@code catch panic}. */
  public Optional<String> purpose() {
    return purpose;
  }

  /** Where it is now, the first of its places; empty while it waits for its module. */
  public OptionalLong address() {
    return addresses.isEmpty() ? OptionalLong.empty() : OptionalLong.of(addresses.getFirst());
  }

  /** All places where it is now: a line can have several. */
  public List<Long> addresses() {
    return addresses;
  }

  void addresses(List<Long> resolved) {
    addresses = List.copyOf(resolved);
  }

  public boolean enabled() {
    return enabled;
  }

  public void enabled(boolean on) {
    enabled = on;
  }

  /** Whether it is deleted when it stops the target. */
  public boolean temporary() {
    return temporary;
  }

  public void temporary(boolean once) {
    temporary = once;
  }

  /** Whether it is disabled when it stops the target. */
  public boolean disableOnHit() {
    return disableOnHit;
  }

  public void disableOnHit(boolean once) {
    disableOnHit = once;
  }

  /** How many more hits go by. */
  public long ignore() {
    return ignore;
  }

  public void ignore(long count) {
    ignore = count;
  }

  /** How often it was hit with its condition true, ignored hits included. */
  public long hits() {
    return hits;
  }

  public Optional<Condition> condition() {
    return condition;
  }

  public void condition(Optional<Condition> wanted) {
    condition = wanted;
  }

  /** Command lines to run when it has stopped the target. */
  public List<String> commands() {
    return commands;
  }

  public void commands(List<String> lines) {
    commands = List.copyOf(lines);
  }

  /** The thread, by the address of its structure, that alone it is for. */
  public OptionalLong thread() {
    return thread;
  }

  public void thread(OptionalLong only) {
    thread = only;
  }

  /** The kernel's number of the CPU that alone it is for. */
  public OptionalInt cpu() {
    return cpu;
  }

  public void cpu(OptionalInt only) {
    cpu = only;
  }

  /** The bytes that a watchpoint saw last. */
  Optional<byte[]> value() {
    return value;
  }

  void value(Optional<byte[]> seen) {
    value = seen;
  }

  boolean covers(long data) {
    return watches()
        && address().isPresent()
        && Long.compareUnsigned(data - address().getAsLong(), length) < 0;
  }

  /** Whether a hit is one that the user wants to know of; counts it when its condition holds. */
  boolean accepts(Hit hit) {
    if (thread.isPresent() && hit.thread() != thread.getAsLong()) {
      return false;
    }
    if (cpu.isPresent() && number(hit) != cpu.getAsInt()) {
      return false;
    }
    if (condition.isPresent() && !condition.get().holds(hit)) {
      return false;
    }
    hits++;
    if (ignore > 0) {
      ignore--;
      return false;
    }
    return true;
  }

  private static int number(Hit hit) {
    var task = hit.task();
    return task.isPresent() && task.get().cpu().isPresent()
        ? task.get().cpu().getAsInt()
        : hit.id();
  }
}
