// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.vprobe;

import dev.fathom.base.Span;
import dev.fathom.dtrace.syntax.Source;
import dev.fathom.dtrace.syntax.Tag;
import java.util.Map;
import java.util.regex.Pattern;

/** VProbes' probe points and D's probes for them. */
final class Points {
  /** Points without parameters. */
  private static final Map<String, String> STATIC =
      Map.of(
          "VMMLoad", "dtrace:::BEGIN",
          "VMM1Hz", "profile:::profile-1hz",
          "VMM10Hz", "profile:::profile-10hz",
          "VMX1Hz", "profile:::tick-1hz");

  private static final Pattern GUEST =
      Pattern.compile("GUEST:(?:(ENTER|EXIT):)?([A-Za-z_][A-Za-z0-9_.]*)");
  private static final Pattern TIMER = Pattern.compile("VMM:TIMER:([0-9]{1,9})(sec|msec|usec)");
  private static final Pattern MICROSECONDS = Pattern.compile("USEC:([0-9]{1,9})");

  /**
   * A point.
   *
   * @param probe D's description of it
   * @param kind what is known there
   * @param function the guest's function, or empty
   */
  record Point(String name, String probe, Kind kind, String function) {}

  enum Kind {
    LOAD,
    TIMER,
    ENTRY,
    RETURN
  }

  private Points() {}

  static Point of(Source source, String name, Span at) {
    var known = STATIC.get(name);
    if (known != null) {
      return new Point(name, known, name.equals("VMMLoad") ? Kind.LOAD : Kind.TIMER, "");
    }
    var guest = GUEST.matcher(name);
    if (guest.matches() && !guest.group(2).matches("READ|WRITE|STEP|OFFSET")) {
      boolean exit = "EXIT".equals(guest.group(1));
      return new Point(
          name,
          "fbt::" + guest.group(2) + (exit ? ":return" : ":entry"),
          exit ? Kind.RETURN : Kind.ENTRY,
          guest.group(2));
    }
    var timer = TIMER.matcher(name);
    if (timer.matches()) {
      return new Point(
          name, "profile:::profile-" + timer.group(1) + timer.group(2), Kind.TIMER, "");
    }
    var micro = MICROSECONDS.matcher(name);
    if (micro.matches()) {
      return new Point(name, "profile:::profile-" + micro.group(1) + "usec", Kind.TIMER, "");
    }
    throw source.error(
        at,
        Tag.D_PDESC_INVAL,
        "probe point "
            + name
            + " cannot be served from outside the guest; there are VMMLoad, VMM1Hz, VMM10Hz,"
            + " VMX1Hz, VMM:TIMER:NUMBER(sec|msec|usec), USEC:NUMBER, GUEST:ENTER:SYMBOL and"
            + " GUEST:EXIT:SYMBOL");
  }
}
