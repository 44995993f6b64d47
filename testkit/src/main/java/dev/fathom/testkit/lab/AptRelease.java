// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import dev.fathom.base.TargetException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The packages of another Debian release than this machine's apt is set up for: lists of packages
 * in a directory of their own, signed by Debian like any others.
 */
final class AptRelease {
  /** Where releases are, and where they go when they are old. */
  private static final List<String> MIRRORS =
      List.of("http://deb.debian.org", "http://archive.debian.org");

  private static final String KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

  private AptRelease() {}

  /**
   * Reads the lists of a release, its security updates included.
   *
   * @param directory is made; the lists are kept there
   * @param architecture as Debian names it
   * @return the options with which apt's programs use them
   */
  static List<String> options(Path directory, String release, String architecture) {
    Path sources = directory.resolve("sources.list");
    List<String> options = new ArrayList<>();
    for (String setting :
        List.of(
            "APT::Architecture=" + architecture,
            "APT::Architectures=" + architecture,
            "Dir::State=" + directory.resolve("state"),
            "Dir::State::status=/var/lib/dpkg/status",
            "Dir::Cache=" + directory.resolve("cache"),
            "Dir::Etc::sourcelist=" + sources,
            "Dir::Etc::sourceparts=/nonexistent",
            // The lists of an archived release say that they have expired; their signature counts.
            "Acquire::Check-Valid-Until=false",
            "APT::Update::Error-Mode=any",
            "APT::Sandbox::User=root")) {
      options.add("-o");
      options.add(setting);
    }
    String problem = "";
    try {
      Files.createDirectories(directory.resolve("state/lists/partial"));
      Files.createDirectories(directory.resolve("cache/archives/partial"));
      for (String mirror : MIRRORS) {
        String source = "deb [arch=" + architecture + " signed-by=" + KEYRING + "] " + mirror;
        Files.writeString(
            sources,
            "%s/debian %s main%n%s/debian-security %s-security main%n"
                .formatted(source, release, source, release));
        List<String> update = new ArrayList<>(List.of("apt-get"));
        update.addAll(options);
        update.add("update");
        Shell.Result result = Shell.run(directory, update);
        if (result.worked()) {
          return options;
        }
        problem = result.output().strip();
      }
    } catch (IOException e) {
      throw new TargetException("lab: cannot write to " + directory, e);
    }
    throw new TargetException("lab: cannot read Debian " + release + "'s packages: " + problem);
  }
}
