// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.model.type.CType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.QualifiedType;
import dev.fathom.model.type.TypedefType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/** Text of characters that take two or four bytes, as C's literals have it: {@code L"text"}. */
final class WideText {
  private WideText() {}

  /** What stands in front of literals of characters of that type; empty where none are wide. */
  static Optional<String> prefix(CType type) {
    return switch (type) {
      case QualifiedType q -> prefix(q.target());
      case TypedefType t -> {
        var named = named(t.name());
        yield named.isPresent() ? named : prefix(t.target());
      }
      case IntType i when i.bytes() == 2 || i.bytes() == 4 ->
          i.character()
              ? named(i.name()).or(() -> Optional.of(i.bytes() == 2 ? "u" : "U"))
              : named(i.name());
      default -> Optional.empty();
    };
  }

  private static Optional<String> named(String type) {
    return switch (type) {
      case "wchar_t" -> Optional.of("L");
      case "char16_t" -> Optional.of("u");
      case "char32_t" -> Optional.of("U");
      default -> Optional.empty();
    };
  }

  /**
   * The text up to a zero or to the end; empty when not all of it can be shown.
   *
   * @param size of a character, 2 or 4
   */
  static Optional<String> decode(byte[] bytes, int size, ByteOrder order) {
    var buffer = ByteBuffer.wrap(bytes).order(order);
    var text = new StringBuilder();
    while (buffer.remaining() >= size) {
      int code = size == 2 ? buffer.getShort() & 0xffff : buffer.getInt();
      if (code == 0) {
        break;
      }
      if (!Character.isValidCodePoint(code)) {
        return Optional.empty();
      }
      if (size == 2) {
        text.append((char) code);
      } else {
        text.appendCodePoint(code);
      }
    }
    return text.codePoints().allMatch(WideText::printable)
        ? Optional.of(text.toString())
        : Optional.empty();
  }

  private static boolean printable(int code) {
    return code == '\n'
        || code == '\t'
        || (Character.isDefined(code)
            && !Character.isISOControl(code)
            && Character.getType(code) != Character.SURROGATE);
  }
}
