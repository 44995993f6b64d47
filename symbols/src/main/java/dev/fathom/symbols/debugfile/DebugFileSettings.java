// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.debugfile;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where debug files are looked for.
 *
 * @param files single files that the user gave, {@code --debug-file}
 * @param folders folders that the user gave, {@code --debug-dir} and {@code FATHOM_DEBUG_PATH};
 *     each may hold debug files by name, by the path of what they belong to, or in a {@code
 *     .build-id} tree
 * @param system folders laid out as the distributions lay out {@code /usr/lib/debug}
 * @param root where the paths of kernels and their modules count from, {@code /}
 * @param servers debuginfod servers; none means that nothing is asked of the network
 * @param cache the folder that debuginfod's clients share; empty to keep nothing
 * @param timeout how long a server may send nothing
 */
public record DebugFileSettings(
    List<Path> files,
    List<Path> folders,
    List<Path> system,
    Path root,
    List<URI> servers,
    Optional<Path> cache,
    Duration timeout) {
  private static final Duration TIMEOUT = Duration.ofSeconds(90);
  private static final Path ROOT = Path.of("/");

  public DebugFileSettings {
    files = List.copyOf(files);
    folders = List.copyOf(folders);
    system = List.copyOf(system);
    servers = List.copyOf(servers);
  }

  /** The same with more files that the user gave. */
  public DebugFileSettings withFiles(List<Path> more) {
    var all = new ArrayList<>(files);
    all.addAll(more);
    return new DebugFileSettings(all, folders, system, root, servers, cache, timeout);
  }

  /** Searches nowhere but beside the file. */
  public static DebugFileSettings none() {
    return new DebugFileSettings(
        List.of(), List.of(), List.of(), ROOT, List.of(), Optional.empty(), TIMEOUT);
  }

  /**
   * What environment variables say: {@code FATHOM_DEBUG_PATH} (folders, separated by colons), and
   * for servers elfutils' {@code DEBUGINFOD_URLS}, {@code DEBUGINFOD_TIMEOUT}, {@code
   * DEBUGINFOD_CACHE_PATH}. What cannot be understood is left out.
   */
  public static DebugFileSettings fromEnvironment(
      Map<String, String> environment, List<Path> files, List<Path> folders) {
    var all = new ArrayList<>(folders);
    for (var name : environment.getOrDefault("FATHOM_DEBUG_PATH", "").split(":")) {
      path(name).ifPresent(all::add);
    }
    var servers = new ArrayList<URI>();
    for (var url : environment.getOrDefault("DEBUGINFOD_URLS", "").split("\\s+")) {
      server(url).ifPresent(servers::add);
    }
    return new DebugFileSettings(
        files,
        all,
        List.of(Path.of("/usr/lib/debug")),
        ROOT,
        servers,
        cache(environment),
        timeout(environment.get("DEBUGINFOD_TIMEOUT")));
  }

  private static Optional<Path> path(String name) {
    try {
      return name == null || name.isEmpty() ? Optional.empty() : Optional.of(Path.of(name));
    } catch (InvalidPathException e) {
      return Optional.empty(); // names no file
    }
  }

  private static Optional<URI> server(String url) {
    try {
      var uri = new URI(url.endsWith("/") ? url : url + "/");
      boolean fits = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
      return fits && uri.getHost() != null ? Optional.of(uri) : Optional.empty();
    } catch (URISyntaxException e) {
      return Optional.empty(); // "ima:" policies and the like stand between the servers
    }
  }

  private static Duration timeout(String seconds) {
    return seconds != null && seconds.matches("[1-9][0-9]{0,5}")
        ? Duration.ofSeconds(Long.parseLong(seconds))
        : TIMEOUT;
  }

  private static Optional<Path> cache(Map<String, String> environment) {
    var named = path(environment.get("DEBUGINFOD_CACHE_PATH"));
    if (named.isPresent()) {
      return named;
    }
    var home = path(environment.get("HOME"));
    var old = home.map(h -> h.resolve(".debuginfod_client_cache")).filter(Files::isDirectory);
    if (old.isPresent()) {
      return old;
    }
    var xdg = path(environment.get("XDG_CACHE_HOME")).or(() -> home.map(h -> h.resolve(".cache")));
    return xdg.map(c -> c.resolve("debuginfod_client"));
  }
}
