// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.command.Screen;
import java.io.Flushable;
import java.io.IOException;
import org.jline.terminal.Attributes;
import org.jline.terminal.Terminal;

/** Stops at each screenful of a command's output and asks, as mdb does. */
final class Pager implements Appendable, Flushable, Screen {
  private static final String PROMPT = ">> More [<space>, <cr>, q, n, c, a] ? ";

  private final Terminal terminal;
  private final Runnable interrupt;
  private final ProgressLine progress;
  private final int width;
  private int rowsLeft;
  private int column;
  private boolean quit;
  private boolean escape;
  private boolean lent;

  /**
   * @param interrupt called when the user wants to see no more
   * @param progress taken away before anything is shown, and kept away while the user is asked
   */
  Pager(Terminal terminal, Runnable interrupt, ProgressLine progress) {
    this.terminal = terminal;
    this.interrupt = interrupt;
    this.progress = progress;
    this.width = Math.max(terminal.getSize().getColumns(), 1);
    this.rowsLeft = page();
  }

  /** Rows of a screenful; a terminal that does not know its height is not paged. */
  private int page() {
    return terminal.getSize().getRows() > 2 ? terminal.getSize().getRows() - 1 : Integer.MAX_VALUE;
  }

  @Override
  public Appendable append(CharSequence text) throws IOException {
    return append(text, 0, text.length());
  }

  @Override
  public Appendable append(CharSequence text, int start, int end) throws IOException {
    for (int i = start; i < end; i++) {
      append(text.charAt(i));
    }
    return this;
  }

  @Override
  public Appendable append(char c) throws IOException {
    if (quit) {
      return this;
    }
    if (rowsLeft == 0 && !lent) {
      ask();
      if (quit) {
        return this;
      }
    }
    progress.clear();
    terminal.writer().write(c);
    count(c);
    return this;
  }

  /** Counts rows; escape sequences (ECMA-48, ended by a letter) take no room. */
  private void count(char c) {
    if (c == '\u001b') {
      escape = true;
    } else if (escape) {
      escape = !Character.isLetter(c);
    } else if (c == '\n') {
      newRow();
    } else if (c == '\t') {
      column = (column + 8) / 8 * 8;
    } else if (++column > width) {
      column = 1;
      newRow();
    }
  }

  private void newRow() {
    if (rowsLeft != Integer.MAX_VALUE && rowsLeft > 0) {
      rowsLeft--;
    }
    column = 0;
  }

  @Override
  public void flush() {
    terminal.flush();
  }

  @Override
  public boolean interactive() {
    return true;
  }

  /**
   * The shell command may use the terminal as it likes: it is not asked for between its screens.
   */
  @Override
  public void lend() {
    progress.pause();
    terminal.flush();
    lent = true;
  }

  @Override
  public void takeBack() {
    lent = false;
    rowsLeft = page();
    progress.resume();
  }

  private void ask() throws IOException {
    progress.pause();
    var attributes = terminal.enterRawMode();
    var raw = terminal.getAttributes();
    // Ctrl-C is an answer here: as a signal it would leave the question standing.
    raw.setLocalFlag(Attributes.LocalFlag.ISIG, false);
    terminal.setAttributes(raw);
    try {
      terminal.writer().write(PROMPT);
      terminal.flush();
      boolean answered = false;
      while (!answered) {
        answered = answer(terminal.reader().read());
      }
    } finally {
      terminal.setAttributes(attributes);
      progress.resume();
      terminal.writer().write("\r" + " ".repeat(PROMPT.length()) + "\r");
      terminal.flush();
    }
  }

  private boolean answer(int key) {
    switch (key) {
      case ' ' -> rowsLeft = page();
      case '\r', '\n' -> rowsLeft = 1;
      case 'c', 'C', 'a', 'A' -> rowsLeft = Integer.MAX_VALUE;
      case 'q', 'Q', 'n', 'N', 3, -1 -> {
        quit = true;
        interrupt.run();
      }
      default -> {
        return false;
      }
    }
    return true;
  }
}
