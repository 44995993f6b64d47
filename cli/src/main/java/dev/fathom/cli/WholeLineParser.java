// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import java.util.List;
import org.jline.reader.CompletingParsedLine;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser;

/** Leaves the line to the command language; finds only the word at the cursor, for completion. */
final class WholeLineParser implements Parser {
  @Override
  public ParsedLine parse(String line, int cursor, ParseContext context) {
    int start = cursor;
    while (start > 0 && isWordCharacter(line.charAt(start - 1))) {
      start--;
    }
    return new Word(line, cursor, start);
  }

  /** Characters of names in mdb's, crash's and C's spelling. */
  private static boolean isWordCharacter(char c) {
    return Character.isLetterOrDigit(c)
        || c == '_'
        || c == '.'
        || c == '`'
        || c == ':'
        || c == '$'
        || c == '-'
        || c == '>';
  }

  /** The text of the line up to the word being completed is in {@code line}. */
  record Word(String line, int cursor, int start) implements CompletingParsedLine {
    @Override
    public String word() {
      return line.substring(start, cursor);
    }

    @Override
    public int wordCursor() {
      return cursor - start;
    }

    @Override
    public int wordIndex() {
      return 0;
    }

    @Override
    public List<String> words() {
      return List.of(word());
    }

    /** Nothing is quoted: the language has its own rules. */
    @Override
    public CharSequence escape(CharSequence candidate, boolean complete) {
      return candidate;
    }

    @Override
    public int rawWordCursor() {
      return wordCursor();
    }

    @Override
    public int rawWordLength() {
      return word().length();
    }
  }
}
