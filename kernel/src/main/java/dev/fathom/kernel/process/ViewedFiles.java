// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.process;

import dev.fathom.base.UnsupportedException;
import dev.fathom.kernel.ProcessFiles;
import dev.fathom.kernel.Task;
import dev.fathom.target.OpenFile;
import dev.fathom.target.ProcessView;
import java.util.Optional;
import java.util.OptionalLong;

/** Files of a process, as the kernel below tells of them. */
record ViewedFiles(ProcessView view) implements ProcessFiles {
  private static UnsupportedException outOfSight() {
    return new UnsupportedException("the kernel below the process is out of sight");
  }

  @Override
  public String directory(Task task) {
    return view.directory()
        .orElseThrow(() -> new UnsupportedException("the working directory cannot be told"));
  }

  @Override
  public String root(Task task) {
    return view.root()
        .orElseThrow(() -> new UnsupportedException("the root directory cannot be told"));
  }

  @Override
  public String arguments(Task task) {
    return String.join(" ", view.arguments());
  }

  @Override
  public Optional<OpenFile> open(Task task, long descriptor) {
    return view.openFile(descriptor);
  }

  @Override
  public OptionalLong object(Task task, long descriptor) {
    throw outOfSight();
  }

  @Override
  public String path(long address) {
    throw outOfSight();
  }

  @Override
  public Optional<OpenFile> ofPage(long page) {
    throw outOfSight();
  }
}
