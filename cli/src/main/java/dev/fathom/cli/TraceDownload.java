// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.base.TargetException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code trace-file download}. */
@Command(
    name = "download",
    description = "Fetch the trace of a running OSv from its REST server.",
    mixinStandardHelpOptions = true,
    footer = {"", "  fathom trace-file download http://192.168.122.89:8000 -o buffers"})
final class TraceDownload implements Callable<Integer> {
  private static final int OK = 200;
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "URL", description = "The server, such as http://192.168.122.89:8000.")
  private String server;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      required = true,
      description = "The file to write.")
  private Path output;

  @Option(
      names = {"-f", "--force"},
      description = "Replace a file that is there.")
  private boolean force;

  @Override
  public Integer call() throws IOException {
    var request = HttpRequest.newBuilder(address()).build();
    if (Files.exists(output) && !force) {
      throw new TargetException(output + ": exists already; -f replaces it");
    }
    try (var client = HttpClient.newBuilder().connectTimeout(PATIENCE).build()) {
      var response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
      try (var body = response.body()) {
        if (response.statusCode() != OK) {
          throw new TargetException(
              request.uri() + ": answered with status " + response.statusCode());
        }
        TraceOutputs.write(output, force, body::transferTo);
      }
    } catch (IOException e) {
      throw new TargetException(request.uri() + ": " + e, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TargetException(request.uri() + ": interrupted", e);
    }
    return 0;
  }

  private URI address() {
    var text = server.endsWith("/") ? server.substring(0, server.length() - 1) : server;
    try {
      var address = URI.create(text + "/trace/buffers");
      if (address.getHost() != null && address.getScheme().matches("https?")) {
        return address;
      }
    } catch (IllegalArgumentException _) {
      // Said below.
    }
    throw new ParameterException(
        spec.commandLine(), "URL " + server + ", expected http://host:port");
  }
}
