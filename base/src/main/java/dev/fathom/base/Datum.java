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
    CRASH,
    /** crash's with a whole structure in one line. */
    GDB
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

  /**
   * A row of the table begun last with lines of its own below it, which text indents to the second
   * column.
   *
   * @param key the lines' name in JSON
   */
  record Block(List<Cell> cells, String key, List<String> lines) implements Datum {}

  /**
   * One line of a tree: text shows the values behind five blanks for each level of {@code depth},
   * two blanks apart.
   */
  record Outline(int depth, List<Field> fields) implements Datum {}

  /** One label and its value. */
  record Field(String key, String label, Cell value) {}

  /**
   * A block of labelled values, one to a line. {@code labelWidth} of 0 left-aligns {@code label:
   * value}; above 0 it right-aligns the labels to that width, as mdb's {@code ::panicinfo} does.
   */
  record Fields(String name, List<Field> fields, int labelWidth) implements Datum {}

  /** A sentence for people; {@code fields} are what it states, as data. */
  record Fact(String text, List<Field> fields) implements Datum {}

  /** Lines shown as they are: log text, help. No line feed at the end. */
  record Text(String text) implements Datum {}

  /**
   * A single value on a line of its own.
   *
   * @param type the C type's name, where the value has one; text leaves it out
   */
  record Scalar(String key, Cell value, Optional<String> type) implements Datum {
    public Scalar(String key, Cell value) {
      this(key, value, Optional.empty());
    }
  }

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

  /**
   * A character array that holds text.
   *
   * @param literal the text as C would have it, in quotes and with escapes
   * @param cut whether it goes on behind the limit on characters
   */
  record Characters(String text, String literal, boolean cut) implements Shape {}

  /** An array of which {@code elements} are shown, of {@code total}. */
  record Elements(List<Node> elements, long total) implements Shape {}

  /**
   * A reference of C++.
   *
   * @param type the reference's type, where it is to be shown
   * @param target what it refers to, where that is to be shown
   */
  record Reference(Optional<String> type, long address, Optional<Shape> target) implements Shape {}

  /** How the parts of something {@link Presented} are laid out. */
  enum Form {
    /** Values in a row, as an array's. */
    LIST,
    /** Values under keys. */
    MAP,
    /** Values under names. */
    FIELDS,
    /** One value that the summary belongs to. */
    SINGLE
  }

  /** A part of something {@link Presented}; only in a map it has a key. */
  record Part(Optional<Node> key, Node value) {}

  /**
   * An object as it is meant rather than as it is stored: a container's elements.
   *
   * @param summary what it is, such as {@code std::vector of length 3, capacity 4}; may be empty
   * @param cut whether there are more parts than these
   */
  record Presented(String summary, Form form, List<Part> parts, boolean cut) implements Shape {}

  /** A member of a layout shown without a value. */
  record Declared() implements Shape {}

  /** How much a {@link Stack} shows. */
  enum Detail {
    /** Functions only: mdb's {@code $c}. */
    FUNCTIONS,
    /** Each function with its frame's address: mdb's {@code $C}. */
    FRAMES,
    /** Also the size of each frame, how it was found, and why the stack ended. */
    FULL
  }

  /**
   * A thread's stack.
   *
   * @param title the line above it, as in {@code stack pointer for thread ffff…: ffff…}; may be
   *     empty. Frames under a title are indented.
   * @param thread the address of the task's structure
   * @param end why the stack ended, when that is not how a stack should end
   */
  record Stack(
      String title,
      OptionalLong thread,
      List<StackFrame> frames,
      Optional<String> end,
      Detail detail,
      Style style)
      implements Datum {}

  /**
   * One frame of a {@link Stack}.
   *
   * @param frame the frame's address on the stack (where a frame pointer would be saved; in crash's
   *     style where the return address to {@code pc} stands)
   * @param pc the address in the text
   * @param symbol {@code function+0x12}, module-qualified where needed
   * @param size bytes of stack that the frame takes, where known
   * @param how how the frame was found: {@code orc}, {@code frame-pointer}, {@code scan}, {@code
   *     registers}, {@code exception}, {@code cfi}, {@code tail-call}
   * @param note what stands between this frame and the one before: {@code <NMI>}, {@code
   *     <interrupt>}, user registers; may have several lines
   */
  record StackFrame(
      long frame, long pc, String symbol, OptionalLong size, String how, Optional<String> note) {}

  /**
   * One disassembled instruction; {@code marked} is the one that faulted, runs, or was asked for.
   *
   * @param symbol the address as {@code function+0x12}
   * @param bytes its machine code, shown only when {@code withBytes}
   * @param comment what a renderer puts behind it, such as the target of a call
   */
  record Instruction(
      long address,
      String symbol,
      byte[] bytes,
      boolean withBytes,
      String text,
      Optional<String> comment,
      boolean marked)
      implements Datum {}

  /**
   * Bytes of memory for a hex dump.
   *
   * @param bytes as many as there are flags in {@code readable}
   * @param readable for each byte whether it could be read; others are shown blank
   * @param header whether the row of offsets stands above; long dumps come in pieces and only the
   *     first has it
   */
  record Hex(long address, byte[] bytes, boolean[] readable, HexLayout layout, boolean header)
      implements Datum {}

  /**
   * How a {@link Hex} is laid out.
   *
   * @param group bytes per group, a power of two
   * @param perLine bytes per line, a multiple of 16
   * @param swap whether the bytes of each group are shown last first
   * @param relative whether lines are numbered from 0
   * @param squeeze whether lines equal to the one before are replaced by {@code *}
   * @param ascii whether the characters stand on the right
   * @param marked the address that the header marks
   */
  record HexLayout(
      int group,
      int perLine,
      boolean swap,
      boolean relative,
      boolean squeeze,
      boolean ascii,
      long marked) {}

  /**
   * A piece of the output of mdb's format verbs ({@code addr/XXs}): the address as a symbol, then
   * items laid out in columns that wrap at the width of the page.
   *
   * @param heading a symbol that stands exactly at the address, shown on a line of its own
   * @param address where the items were read; absent for {@code =}
   * @param label the address as text, with its colon; absent where no address is shown. One that
   *     ends in a blank is followed by the items at once, others by the margin
   * @param continued whether the items go on in the line of the piece before
   * @param columns whether items begin in the same column of every line and wrap at the width of
   *     the page; otherwise label and items stand in one line as they are
   */
  record Formatted(
      Optional<String> heading,
      OptionalLong address,
      Optional<String> label,
      boolean continued,
      boolean columns,
      List<FormattedItem> items)
      implements Datum {}

  /**
   * One item of a {@link Formatted}: its value as data (absent for blanks, line feeds and literal
   * text), and its text already in the width of its format character. Line feeds in {@code text}
   * start a new line.
   */
  record FormattedItem(Optional<Cell> value, String text) {}

  /** A remark about the result: a warning, a page that is missing, a walk that was cut short. */
  record Note(Severity severity, String text) implements Datum {}
}
