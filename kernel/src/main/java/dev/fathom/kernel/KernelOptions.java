// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel;

import dev.fathom.symbols.debugfile.DebugFileSettings;
import dev.fathom.symbols.debugfile.DebugFiles;
import dev.fathom.symbols.debugfile.DownloadProgress;
import java.nio.file.Path;
import java.util.Optional;

/**
 * How to look for a kernel.
 *
 * @param index the folder of the on-disk index; empty to do without
 * @param trustVmcoreinfo whether VMCOREINFO is believed when there is one
 * @param progress told of work that takes long
 * @param debugFiles finds files with debug information, which no kernel needs to be recognised
 */
public record KernelOptions(
    Optional<Path> index, boolean trustVmcoreinfo, Progress progress, DebugFiles debugFiles) {

  /** Without debug files. */
  public KernelOptions(Optional<Path> index, boolean trustVmcoreinfo, Progress progress) {
    this(
        index,
        trustVmcoreinfo,
        progress,
        new DebugFiles(DebugFileSettings.none(), DownloadProgress.none()));
  }

  /** The same with other debug files. */
  public KernelOptions with(DebugFiles files) {
    return new KernelOptions(index, trustVmcoreinfo, progress, files);
  }
}
