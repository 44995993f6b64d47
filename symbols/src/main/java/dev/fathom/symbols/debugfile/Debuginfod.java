// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.debugfile;

import dev.fathom.base.TargetException;
import dev.fathom.format.elf.BuildId;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A client of debuginfod servers: {@code GET URL/buildid/BUILDID/debuginfo}, {@code …/executable},
 * {@code …/source/PATH} (elfutils, debuginfod(8)). Its cache is the one of elfutils' client: {@code
 * CACHE/BUILDID/debuginfo}; an empty file says that no server had it some minutes ago ({@code
 * CACHE/cache_miss_s} holds how many seconds that counts, 600 without). A file appears there
 * complete, by renaming.
 */
final class Debuginfod {
  /** How long an answer "not found" counts, in seconds. */
  private static final long MISS_SECONDS = 600;

  /** No debug file is larger. */
  private static final long MAX_SIZE = 16L << 30;

  private static final Duration BEAT = Duration.ofMillis(200);
  private static final Set<PosixFilePermission> OWNER =
      PosixFilePermissions.fromString("rwx------");

  private final List<URI> servers;
  private final Path cache;
  private final Duration timeout;
  private final DownloadProgress progress;
  private HttpClient client;

  Debuginfod(List<URI> servers, Path cache, Duration timeout, DownloadProgress progress) {
    this.servers = servers;
    this.cache = cache;
    this.timeout = timeout;
    this.progress = progress;
  }

  /** What came of asking. */
  record Answer(Optional<Path> file, List<Attempt> attempts) {}

  /**
   * A file of a build.
   *
   * @param what {@code debuginfo}, {@code executable}, or {@code source/} and an absolute path
   */
  Answer fetch(BuildId id, String what) {
    var attempts = new ArrayList<Attempt>();
    var name = what.replace('/', '#');
    var folder = cache.resolve(id.hex());
    // source/usr/src/a.c is kept as source#usr#src#a.c.
    var kept = folder.resolve(name);
    try {
      if (Files.isRegularFile(kept)) {
        if (Files.size(kept) > 0) {
          attempts.add(new Attempt(kept.toString(), new Attempt.Good()));
          return new Answer(Optional.of(kept), attempts);
        }
        if (isFresh(kept)) {
          attempts.add(
              new Attempt(
                  kept.toString(), new Attempt.Unusable("no server had it some minutes ago")));
          return new Answer(Optional.empty(), attempts);
        }
        Files.deleteIfExists(kept);
      }
      if (servers.isEmpty()) {
        return new Answer(Optional.empty(), attempts);
      }
      createFolder(folder);
      boolean missing = true;
      for (var server : servers) {
        var url = server.resolve("buildid/" + id.hex() + "/" + encoded(what));
        var outcome = download(url, folder, kept);
        attempts.add(new Attempt(url.toString(), outcome));
        if (outcome instanceof Attempt.Good) {
          return new Answer(Optional.of(kept), attempts);
        }
        missing &= outcome instanceof Attempt.Missing;
      }
      if (missing) {
        rememberMiss(kept);
      }
    } catch (IOException e) {
      attempts.add(
          new Attempt(kept.toString(), new Attempt.Unusable("cannot be kept: " + e.getMessage())));
    }
    return new Answer(Optional.empty(), attempts);
  }

  private boolean isFresh(Path kept) throws IOException {
    long seconds = MISS_SECONDS;
    var setting = cache.resolve("cache_miss_s");
    if (Files.isReadable(setting) && Files.size(setting) < 32) {
      var text = Files.readString(setting).strip();
      seconds = text.matches("[0-9]{1,9}") ? Long.parseLong(text) : MISS_SECONDS;
    }
    var age = Duration.between(Files.getLastModifiedTime(kept).toInstant(), Instant.now());
    return age.toSeconds() < seconds;
  }

  private static void rememberMiss(Path kept) throws IOException {
    try {
      Files.createFile(kept, PosixFilePermissions.asFileAttribute(Set.of()));
    } catch (FileAlreadyExistsException e) {
      // Another process knows already.
      Files.size(kept);
    }
  }

  private static void createFolder(Path folder) throws IOException {
    Files.createDirectories(folder, PosixFilePermissions.asFileAttribute(OWNER));
  }

  private static String encoded(String what) {
    var text = new StringBuilder();
    for (byte b : what.getBytes(java.nio.charset.StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xff);
      boolean plain =
          (c >= 'a' && c <= 'z')
              || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9')
              || "/._-~".indexOf(c) >= 0;
      if (plain) {
        text.append(c);
      } else {
        text.append('%')
            .append(Character.toUpperCase(Character.forDigit(c >> 4, 16)))
            .append(Character.toUpperCase(Character.forDigit(c & 15, 16)));
      }
    }
    return text.toString();
  }

  private Attempt.Outcome download(URI url, Path folder, Path kept) throws IOException {
    var part = Files.createTempFile(folder, kept.getFileName() + ".", "");
    try {
      var response = get(url, part);
      return switch (response.statusCode()) {
        case 200 -> {
          if (Files.size(part) == 0) {
            yield new Attempt.Unusable("the server sent nothing");
          }
          Files.move(part, kept, StandardCopyOption.ATOMIC_MOVE);
          yield new Attempt.Good();
        }
        case 404 -> new Attempt.Missing();
        default -> new Attempt.Unusable("HTTP status " + response.statusCode());
      };
    } catch (TargetException e) {
      return new Attempt.Unusable(e.getMessage());
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /** Fetches into a file; gives up when nothing came for a while. */
  private HttpResponse<Path> get(URI url, Path part) throws IOException {
    var total = new CompletableFuture<OptionalLong>();
    var request =
        HttpRequest.newBuilder(url).header("User-Agent", "fathom").timeout(timeout).GET().build();
    var running =
        client()
            .sendAsync(
                request,
                info -> {
                  total.complete(info.headers().firstValueAsLong("Content-Length"));
                  return HttpResponse.BodySubscribers.ofFile(part);
                });
    long seen = 0;
    long since = System.nanoTime();
    while (true) {
      try {
        return running.get(BEAT.toMillis(), TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        long done = Files.size(part);
        if (done != seen) {
          seen = done;
          since = System.nanoTime();
        }
        boolean go = progress.step(url.toString(), done, total.getNow(OptionalLong.empty()));
        if (!go || done > MAX_SIZE || System.nanoTime() - since > timeout.toNanos()) {
          running.cancel(true);
          var why =
              !go
                  ? "interrupted"
                  : done > MAX_SIZE
                      ? "sends more than " + MAX_SIZE + " bytes"
                      : "sent nothing for " + timeout.toSeconds() + " seconds";
          throw new TargetException(why, e);
        }
      } catch (ExecutionException e) {
        var cause = e.getCause();
        var why =
            cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        throw new TargetException("cannot be fetched: " + why, e);
      } catch (InterruptedException e) {
        running.cancel(true);
        Thread.currentThread().interrupt();
        throw new TargetException("interrupted", e);
      }
    }
  }

  private HttpClient client() {
    if (client == null) {
      client =
          HttpClient.newBuilder()
              .connectTimeout(timeout)
              .followRedirects(HttpClient.Redirect.NORMAL)
              .build();
    }
    return client;
  }
}
