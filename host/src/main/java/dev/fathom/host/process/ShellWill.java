// SPDX-License-Identifier: Apache-2.0
package dev.fathom.host.process;

import dev.fathom.base.TargetException;
import dev.fathom.target.ProcessTracer;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * A will that a shell keeps: it reads from a pipe whose other end this process has, so that it
 * comes to the pipe's end when this process ends without having written a line.
 */
final class ShellWill implements ProcessTracer.Will {
  /** It is not to end with what ends this process, such as Ctrl-C. */
  private static final String SCRIPT = "trap '' HUP INT QUIT TERM; read -r line || exec \"$@\"";

  private final CompletableFuture<Optional<Process>> shell = new CompletableFuture<>();

  /**
   * The shell is started by a thread of its own: it would be a child of the tracing thread, which
   * waits for whatever is one.
   */
  ShellWill(Path directory, List<String> command) {
    var words = new ArrayList<>(List.of("/bin/sh", "-c", SCRIPT, "sh"));
    words.addAll(command);
    var builder =
        new ProcessBuilder(words)
            .directory(directory.toFile())
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD);
    Thread.ofPlatform().daemon().name("will").start(() -> start(builder));
  }

  private void start(ProcessBuilder builder) {
    try {
      shell.complete(Optional.of(builder.start()));
    } catch (IOException e) {
      // The directory is gone, and with it what was to be done; or there is no shell.
      shell.complete(Optional.empty());
    } catch (RuntimeException | Error e) {
      shell.completeExceptionally(e);
    }
  }

  @Override
  public void revoke() {
    try {
      var process = shell.join();
      if (process.isPresent()) {
        try (OutputStream pipe = process.get().getOutputStream()) {
          pipe.write("revoked\n".getBytes(StandardCharsets.US_ASCII));
        }
      }
    } catch (IOException e) {
      // Somebody has ended the shell, which does nothing any more.
      return;
    } catch (CompletionException e) {
      throw new TargetException("cannot start a shell", e);
    }
  }
}
