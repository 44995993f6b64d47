// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.vprobe;

import dev.fathom.base.Span;
import dev.fathom.dtrace.syntax.Source;
import java.util.ArrayList;
import java.util.List;

/** Reads the Lisp form: lists, symbols, numbers, strings; {@code ;} begins a comment. */
final class LispReader {
  private static final int DEPTH_LIMIT = 100;

  private final Source source;
  private final String text;
  private int at;
  private int depth;

  private LispReader(Source source) {
    this.source = source;
    this.text = source.text();
  }

  static List<Form> read(Source source) {
    var reader = new LispReader(source);
    var forms = new ArrayList<Form>();
    while (reader.more()) {
      forms.add(reader.form());
    }
    return forms;
  }

  private boolean more() {
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == ';') {
        int end = text.indexOf('\n', at);
        at = end < 0 ? text.length() : end;
      } else if (Character.isWhitespace(c)) {
        at++;
      } else {
        return true;
      }
    }
    return false;
  }

  private Form form() {
    char c = text.charAt(at);
    if (c == '(') {
      return list();
    }
    if (c == ')') {
      throw Characters.syntax(source, Span.at(at), "')' closes nothing");
    }
    if (c == '"') {
      var string = Characters.string(source, at);
      at = string.span().end();
      return string;
    }
    int start = at;
    while (at < text.length() && !ends(text.charAt(at))) {
      at++;
    }
    var word = text.substring(start, at);
    var span = new Span(start, at);
    boolean number =
        Character.isDigit(word.charAt(0))
            || (word.length() > 1 && word.charAt(0) == '-' && Character.isDigit(word.charAt(1)));
    if (!number || word.matches("[0-9]+\\.[0-9]+")) {
      return new Form.Symbol(word, span);
    }
    if (word.charAt(0) != '-') {
      return Characters.number(source, word, span);
    }
    return new Form.Number(-Characters.number(source, word.substring(1), span).value(), span);
  }

  private static boolean ends(char c) {
    return Character.isWhitespace(c) || c == '(' || c == ')' || c == '"' || c == ';';
  }

  private Form list() {
    int start = at++;
    if (++depth > DEPTH_LIMIT) {
      throw Characters.syntax(
          source, Span.at(start), "nested deeper than " + DEPTH_LIMIT + " levels");
    }
    var items = new ArrayList<Form>();
    while (true) {
      if (!more()) {
        throw Characters.syntax(source, Span.at(start), "'(' is not closed; expected ')'");
      }
      if (text.charAt(at) == ')') {
        at++;
        depth--;
        return new Form.Listed(items, new Span(start, at));
      }
      items.add(form());
    }
  }
}
