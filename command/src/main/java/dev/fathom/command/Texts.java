// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Datum.Shape;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Program;
import dev.fathom.model.Value;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.PointerType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * The texts in a {@link ValueTree}: in arrays of characters, behind pointers, in strings of C++.
 */
final class Texts {
  private final Program program;
  private final ValueTree.Options options;

  Texts(Program program, ValueTree.Options options) {
    this.program = program;
    this.options = options;
  }

  /** A string of C++; its characters may be any but those that no text has. */
  Shape of(Presentation.Text text) {
    long limit = options.arrayString().isPresent() ? options.arrayString().getAsInt() : 1 << 20;
    int unit = (int) text.unit().resolved().bytes();
    if (unit != 1 && unit != 2 && unit != 4) {
      return new Datum.Leaf(new Cell.Absent("characters of " + unit + " bytes"), Optional.empty());
    }
    int count = (int) Math.min(text.count(), Math.min(limit, 1 << 20));
    var bytes = new byte[count * unit];
    program.memory().readFully(text.address(), MemorySegment.ofArray(bytes));
    boolean cut = count < text.count();
    if (unit == 1 && !text.unit().text().contains("char8_t")) {
      return characters(bytes, bytes.length, cut);
    }
    boolean little = program.memory().layout().order() == ByteOrder.LITTLE_ENDIAN;
    var decoded = new StringBuilder();
    for (int i = 0; i < count && unit > 1; i++) {
      int code = 0;
      for (int b = 0; b < unit; b++) {
        code |= (bytes[i * unit + (little ? b : unit - 1 - b)] & 0xff) << (8 * b);
      }
      if (unit == 2) {
        decoded.append((char) code);
      } else {
        decoded.appendCodePoint(Character.isValidCodePoint(code) ? code : 0xfffd);
      }
    }
    var prefix =
        unit == 1 ? "u8" : text.unit().text().contains("wchar_t") ? "L" : unit == 2 ? "u" : "U";
    var characters = unit == 1 ? new String(bytes, StandardCharsets.UTF_8) : decoded.toString();
    return new Datum.Leaf(
        Cell.text(prefix + CharacterText.string(characters) + (cut ? "..." : "")),
        Optional.empty());
  }

  /**
   * The array as text up to a NUL or to its end. What is no text is a list of numbers in mdb's way;
   * in gdb's it is shown with escapes, and what stands behind a NUL as well.
   */
  Optional<Shape> ofArray(Value.Ref ref, ArrayType type) {
    long total = type.count().orElse(0);
    var wide = WideText.prefix(type.element());
    if (wide.isPresent()) {
      return wideText(ref, type, wide.get());
    }
    long limit = options.arrayString().isPresent() ? options.arrayString().getAsInt() : total;
    var bytes = new byte[(int) Math.min(Math.min(total, limit), 1 << 20)];
    ref.space().readFully(ref.address(), MemorySegment.ofArray(bytes));
    int end = 0;
    boolean plain = true;
    while (end < bytes.length && bytes[end] != 0) {
      plain &= printable(bytes[end++]);
    }
    if (options.style() == Datum.Style.MDB) {
      if (!plain) {
        return Optional.empty();
      }
    } else if (!plain || end == 0) {
      end = bytes.length;
      while (end > 0 && bytes.length == total && bytes[end - 1] == 0) {
        end--;
      }
    }
    return Optional.of(characters(bytes, end, end == bytes.length && end < total));
  }

  private static Datum.Characters characters(byte[] bytes, int count, boolean cut) {
    var text = new String(bytes, 0, count, StandardCharsets.UTF_8);
    // What is no UTF-8 is given byte by byte, so that nothing of it is lost.
    boolean whole =
        Arrays.equals(text.getBytes(StandardCharsets.UTF_8), Arrays.copyOf(bytes, count));
    return new Datum.Characters(
        whole ? text : new String(bytes, 0, count, StandardCharsets.ISO_8859_1),
        CharacterText.string(bytes, count),
        cut);
  }

  private Optional<Shape> wideText(Value.Ref ref, ArrayType type, String prefix) {
    long total = type.count().orElse(0);
    int size = (int) type.element().bytes();
    long limit = options.arrayString().isPresent() ? options.arrayString().getAsInt() : total;
    var bytes = new byte[(int) Math.min(Math.min(total, limit), (1 << 20) / size) * size];
    ref.space().readFully(ref.address(), MemorySegment.ofArray(bytes));
    var text = WideText.decode(bytes, size, program.memory().layout().order());
    return text.map(
        t ->
            new Datum.Leaf(
                Cell.text(
                    prefix
                        + CharacterText.string(t)
                        + (isAll(t, size, bytes.length) && limit < total ? "..." : "")),
                Optional.empty()));
  }

  private static boolean printable(byte b) {
    return (b >= ' ' && b < 0x7f) || b == '\n' || b == '\t' || b == '\r' || b == 0x1b;
  }

  /** The text that a character pointer leads to, in quotes. */
  Optional<String> behind(long target, PointerType type) {
    if (!options.strings()
        || target == 0
        || !(type.target().resolved() instanceof IntType i)
        || !(i.character() || WideText.prefix(type.target()).isPresent())) {
      return Optional.empty();
    }
    var wide = WideText.prefix(type.target());
    return wide.isPresent()
        ? wideBehind(target, (int) i.bytes(), wide.get())
        : at(program.memory(), target);
  }

  /** The text that begins at an address, in quotes. */
  Optional<String> at(AddressSpace space, long target) {
    boolean mdb = options.style() == Datum.Style.MDB;
    int limit = options.arrayString().orElse(1024);
    var bytes = new byte[Math.clamp(limit, 1, 4096)];
    int count = space.read(target, MemorySegment.ofArray(bytes));
    int end = 0;
    boolean plain = true;
    while (end < count && bytes[end] != 0) {
      plain &= printable(bytes[end++]);
    }
    if (end == count && count < bytes.length) {
      return mdb
          ? Optional.empty()
          : Optional.of(
              "<error: Cannot access memory at address 0x"
                  + Long.toHexString(target + count)
                  + ">");
    }
    if (mdb && !plain) {
      return Optional.empty();
    }
    return Optional.of(
        (mdb
                ? '"' + new String(bytes, 0, end, StandardCharsets.UTF_8) + '"'
                : CharacterText.string(bytes, end))
            + (end == count ? "..." : ""));
  }

  private Optional<String> wideBehind(long target, int size, String prefix) {
    var bytes = new byte[Math.clamp(options.arrayString().orElse(1024), 1, 4096) * size];
    int count = program.memory().read(target, MemorySegment.ofArray(bytes));
    var text =
        WideText.decode(Arrays.copyOf(bytes, count), size, program.memory().layout().order());
    return text.filter(t -> count > 0)
        .map(t -> prefix + CharacterText.string(t) + (isAll(t, size, count) ? "..." : ""));
  }

  /** Whether a text of characters of that size fills so many bytes: no zero ends it. */
  private static boolean isAll(String text, int size, int bytes) {
    int characters = size == 2 ? text.length() : text.codePointCount(0, text.length());
    return characters * size >= bytes;
  }
}
