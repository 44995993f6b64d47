// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.UsageException;
import java.util.Map;

/**
 * How much of the time stops may hold a target. What holds it for longer, second after second, is
 * to be taken out rather than let the target hang.
 */
final class StopBudget {
  /** What is thought of the time that has passed. */
  enum Verdict {
    /** Too little has passed to tell. */
    OPEN,
    FINE,
    /** The user should know; said once. */
    MUCH,
    OVER
  }

  private static final String OPTION = "stopbudget";

  /** The share in percent that is allowed when no other is asked for. */
  static final int USUAL = 95;

  /** The share in percent that the user is told of. */
  private static final int MUCH = 75;

  private static final long WINDOW = 1_000_000_000L;

  /** How many windows in a row may be over the budget. */
  private static final int PATIENCE = 5;

  private final int percent;
  private long since;
  private long before;
  private int over;
  private boolean told;
  private int share;

  /**
   * @param percent allowed; 100 for any
   * @param now in nanoseconds
   */
  StopBudget(int percent, long now) {
    this.percent = percent;
    this.since = now;
  }

  /** The budget that a program's options ask for. */
  static StopBudget of(Map<String, String> options, long now) {
    var text = options.getOrDefault(OPTION, Integer.toString(USUAL));
    if (!text.matches("[0-9]{1,3}") || Integer.parseInt(text) < 1 || Integer.parseInt(text) > 100) {
      throw new UsageException(
          "option " + OPTION + ": '" + text + "', expected a share in percent from 1 to 100");
    }
    return new StopBudget(Integer.parseInt(text), now);
  }

  /**
   * Judges.
   *
   * @param now in nanoseconds
   * @param still nanoseconds that the target has stood still in all
   */
  Verdict look(long now, long still) {
    if (now - since < WINDOW) {
      return Verdict.OPEN;
    }
    share = (int) Math.min(100, 100 * (still - before) / (now - since));
    since = now;
    before = still;
    over = share > percent || (share == 100 && percent < 100) ? over + 1 : 0;
    if (over >= PATIENCE) {
      over = 0;
      return Verdict.OVER;
    }
    if (share > MUCH && !told) {
      told = true;
      return Verdict.MUCH;
    }
    return Verdict.FINE;
  }

  /** The share of the time judged last, in percent. */
  int share() {
    return share;
  }

  int percent() {
    return percent;
  }
}
