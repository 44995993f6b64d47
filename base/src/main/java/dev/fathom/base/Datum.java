// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a command shows. Commands make these and never text; a renderer turns them into text, JSON
 * or a page. A table is a {@link Header} followed by its {@link Row}s.
 */
public sealed interface Datum {
  enum Align {
    LEFT,
    RIGHT
  }

  /** Whose way of laying out structures and stacks a text renderer follows. */
  enum Style {
    MDB,
    CRASH
  }

  enum Severity {
    INFO,
    WARNING,
    ERROR
  }

  /**
   * One column of a table.
   *
   * @param key the field's name in JSON: lower case, words joined by {@code _}; stable
   * @param title the heading in text
   * @param width the least width in text; longer cells push the rest of their line
   */
  record Column(String key, String title, int width, Align align) {}

  /** Begins a table called {@code name}; ends the one before. */
  record Header(String name, List<Column> columns) implements Datum {}

  /** One line of the table begun last; as many cells as it has columns. */
  record Row(List<Cell> cells) implements Datum {}

  /** One label and its value. */
  record Field(String key, String label, Cell value) {}

  /**
   * A block of labelled values, one to a line. {@code labelWidth} of 0 left-aligns {@code label:
   * value}; above 0 it right-aligns the labels to that width, as mdb's {@code ::panicinfo} does.
   */
  record Fields(String name, List<Field> fields, int labelWidth) implements Datum {}

  /** Lines shown as they are: log text, help. No line feed at the end. */
  record Text(String text) implements Datum {}

  /** A single value on a line of its own. */
  record Scalar(String key, Cell value) implements Datum {}

  /** A structure, array or value with its parts. */
  record Tree(Node root, Style style) implements Datum {}

  /**
   * A part of a {@link Tree}.
   *
   * @param name the member's name or the element's index; absent for an anonymous member and for
   *     the root
   * @param type the C type's name, where it is to be shown
   * @param address where it stands in the target (or the offset, when only a layout is shown),
   *     where it is to be shown
   */
  record Node(Optional<String> name, Optional<String> type, OptionalLong address, Shape shape) {}

  /** What a {@link Node} is. */
  sealed interface Shape {}

  /**
   * A scalar; {@code note} is text that follows it, such as an enumerator's name or the string that
   * a pointer leads to.
   */
  record Leaf(Cell value, Optional<String> note) implements Shape {}

  record Composite(List<Node> members) implements Shape {}

  /** An array of which {@code elements} are shown, of {@code total}. */
  record Elements(List<Node> elements, long total) implements Shape {}

  /** A member of a layout shown without a value. */
  record Declared() implements Shape {}

  /**
   * A thread's stack.
   *
   * @param title the line above it, as in {@code stack pointer for thread ffff…: ffff…}
   * @param thread the address of the task's structure
   * @param end why the stack ended
   */
  record Stack(
      String title,
      OptionalLong thread,
      List<StackFrame> frames,
      Optional<String> end,
      boolean verbose,
      Style style)
      implements Datum {}

  /**
   * One frame of a {@link Stack}.
   *
   * @param frame the frame's address on the stack (the canonical frame address less one word: where
   *     a frame pointer would be saved)
   * @param pc the address in the text
   * @param symbol {@code function+0x12}, module-qualified where needed
   * @param size bytes of stack that the frame takes, where known
   * @param how how the frame was found: {@code orc}, {@code frame-pointer}, {@code scan}, {@code
   *     registers}, {@code exception}, ...
   * @param note what stands between this frame and the one before: {@code <NMI>}, {@code
   *     <interrupt>}, user registers
   */
  record StackFrame(
      long frame, long pc, String symbol, OptionalLong size, String how, Optional<String> note) {}

  /**
   * One disassembled instruction; {@code marked} is the one that faulted, runs, or was asked for.
   */
  record Instruction(
      long address,
      String symbol,
      byte[] bytes,
      String text,
      Optional<String> comment,
      boolean marked)
      implements Datum {}

  /**
   * Bytes of memory for a hex dump.
   *
   * @param readable for each byte whether it could be read
   * @param group bytes per group
   * @param marked the address asked for, inside the first line
   */
  record Hex(long address, byte[] bytes, boolean[] readable, int group, long marked, boolean ascii)
      implements Datum {}

  /**
   * One line of mdb's format verbs ({@code addr/XXs}): the address as a symbol, then items laid out
   * in columns.
   *
   * @param label the address as text; absent for {@code =}
   */
  record Formatted(OptionalLong address, Optional<String> label, List<FormattedItem> items)
      implements Datum {}

  /**
   * One item of a {@link Formatted} line: its value as data, and its text already in the width of
   * its format character.
   */
  record FormattedItem(Cell value, String text) {}

  /** A remark about the result: a warning, a page that is missing, a walk that was cut short. */
  record Note(Severity severity, String text) implements Datum {}
}
