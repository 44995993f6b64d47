// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What D's macros say of the tracer itself. */
final class OwnProcess {
  /** The fields of {@code /proc/PID/stat} behind the name, from the state on (proc_pid_stat(5)). */
  private static final List<String> STAT = List.of("", "ppid", "pgid", "sid");

  private OwnProcess() {}

  /**
   * {@code pid ppid pgid sid uid euid gid egid}, and {@code projid} and {@code taskid}, which are 0
   * as Linux has neither projects nor tasks. Where {@code /proc} cannot be read the first two
   * alone.
   */
  static Map<String, Long> macros() {
    return macros(Path.of("/proc/self"));
  }

  static Map<String, Long> macros(Path folder) {
    var found = new HashMap<String, Long>();
    var self = ProcessHandle.current();
    found.put("pid", self.pid());
    found.put("ppid", self.parent().map(ProcessHandle::pid).orElse(0L));
    found.put("projid", 0L);
    found.put("taskid", 0L);
    try {
      var stat = Files.readString(folder.resolve("stat"), StandardCharsets.ISO_8859_1);
      var fields = stat.substring(stat.lastIndexOf(')') + 1).strip().split(" ", -1);
      for (int i = 1; i < STAT.size() && i < fields.length; i++) {
        found.put(STAT.get(i), Long.parseLong(fields[i]));
      }
      for (var line : Files.readAllLines(folder.resolve("status"), StandardCharsets.ISO_8859_1)) {
        var words = line.split("\\s+", -1);
        if (words.length > 2 && (words[0].equals("Uid:") || words[0].equals("Gid:"))) {
          var name = words[0].equals("Uid:") ? "uid" : "gid";
          found.put(name, Long.parseLong(words[1]));
          found.put("e" + name, Long.parseLong(words[2]));
        }
      }
    } catch (IOException | NumberFormatException _) {
      return found; // There is no such /proc: what it would tell is not defined.
    }
    return found;
  }
}
