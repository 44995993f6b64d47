// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import picocli.CommandLine.IVersionProvider;

/** The program's version, from its own jar. */
final class Version implements IVersionProvider {
  @Override
  public String[] getVersion() {
    var version = Version.class.getModule().getDescriptor().rawVersion().orElse("development");
    return new String[] {"fathom " + version + " on Java " + Runtime.version()};
  }
}
