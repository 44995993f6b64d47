// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Fathom as a process of its own, with the modules that the distribution runs it with. */
final class FathomProcess {
  private FathomProcess() {}

  static ProcessBuilder of(String... options) {
    var words = new ArrayList<String>();
    words.addAll(
        List.of(
            "env", "--default-signal=INT")); // Shells start what they do not wait for without it.
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    words.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    var modules = System.getProperty("jdk.module.path");
    if (modules != null) {
      words.addAll(List.of("--enable-native-access=dev.fathom.host", "-p", modules));
      words.addAll(List.of("-m", "dev.fathom.cli/dev.fathom.cli.Main"));
    } else {
      words.add("--enable-native-access=ALL-UNNAMED");
      words.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    }
    words.addAll(List.of(options));
    return new ProcessBuilder(words).redirectErrorStream(true);
  }
}
