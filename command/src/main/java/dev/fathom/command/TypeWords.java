// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSystem;
import java.util.List;
import java.util.Optional;

/**
 * A type among the words of a command, where it may be one word ({@code pid_t}, {@code "struct
 * page"}) or several ({@code struct page}, {@code struct page *}).
 *
 * @param type what the words name
 * @param words how many words it took
 */
public record TypeWords(CType type, int words) {
  /** The type that {@code operands} begin with; empty when they do not begin with one. */
  public static Optional<TypeWords> find(TypeSystem types, List<Argument> operands) {
    if (operands.isEmpty() || !(operands.getFirst() instanceof Argument.Word(String first))) {
      return Optional.empty();
    }
    int words = 1;
    var text = new StringBuilder(first);
    if (isKeyword(first) && operands.size() > 1) {
      text.append(' ').append(operands.get(1).text());
      words = 2;
    }
    while (words < operands.size() && isStars(operands.get(words).text())) {
      text.append(operands.get(words).text());
      words++;
    }
    try {
      return Optional.of(new TypeWords(types.parse(text.toString()), words));
    } catch (LookupException e) {
      if (words > 1 || TypeName.parse(first).isEmpty()) {
        throw new EvalException("failed to look up type " + text + ": " + e.getMessage());
      }
      return Optional.empty();
    }
  }

  /**
   * As {@link #find}, but a type must be there.
   *
   * @throws EvalException when there is none of that name
   */
  public static TypeWords get(TypeSystem types, List<Argument> operands) {
    if (operands.isEmpty()) {
      throw new UsageException("the name of a type is needed");
    }
    return find(types, operands)
        .orElseThrow(
            () -> new EvalException("failed to look up type " + operands.getFirst().text()));
  }

  private static boolean isKeyword(String word) {
    return switch (word) {
      case "struct", "union", "enum", "class" -> true;
      default -> false;
    };
  }

  private static boolean isStars(String word) {
    return !word.isEmpty() && word.chars().allMatch(c -> c == '*');
  }
}
