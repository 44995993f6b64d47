// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.debugfile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.TargetException;
import dev.fathom.format.elf.BuildId;
import dev.fathom.testkit.ElfCoreWriter;
import dev.fathom.testkit.ElfWriter;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.zip.CRC32;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DebugFilesTest {
  private static final BuildId ID = BuildId.parse("aabbccddeeff").orElseThrow();
  private static final BuildId OTHER = BuildId.parse("0011223344").orElseThrow();

  @TempDir private Path temp;
  private Path system;
  private Path program;

  @BeforeEach
  void layOut() throws IOException {
    system = temp.resolve("debug");
    program = write("opt/bin/program", withoutSymbols(Optional.of(ID), Optional.empty()));
  }

  private static ElfWriter identified(Optional<BuildId> id) {
    var writer = new ElfWriter().type(3);
    id.ifPresent(
        i ->
            writer.notes(
                ".note.gnu.build-id",
                ElfCoreWriter.noteRegion("GNU", 3, HexFormat.of().parseHex(i.hex()))));
    return writer;
  }

  private static byte[] debug(Optional<BuildId> id) {
    var writer = identified(id);
    writer.section(".debug_info", new byte[16]);
    return writer.build();
  }

  private static byte[] withoutSymbols(Optional<BuildId> id, Optional<byte[]> link) {
    var writer = identified(id).stripped();
    link.ifPresent(l -> writer.section(".gnu_debuglink", l));
    return writer.build();
  }

  private static Optional<byte[]> link(String name, byte[] target) {
    var crc = new CRC32();
    crc.update(target);
    int padded = (name.length() + 4) & -4;
    var b = ByteBuffer.allocate(padded + 4).order(ByteOrder.LITTLE_ENDIAN);
    b.put(name.getBytes(StandardCharsets.US_ASCII)).putInt(padded, (int) crc.getValue());
    return Optional.of(b.array());
  }

  private Path write(String path, byte[] content) throws IOException {
    var file = temp.resolve(path);
    Files.createDirectories(file.getParent());
    return Files.write(file, content);
  }

  private DebugFileSettings settings(
      List<Path> files, List<Path> folders, Optional<URI> server, Duration timeout) {
    return new DebugFileSettings(
        files,
        folders,
        List.of(system),
        temp,
        server.stream().toList(),
        Optional.of(temp.resolve("cache")),
        timeout);
  }

  private DebugFiles files(List<Path> files, List<Path> folders, Optional<URI> server) {
    return new DebugFiles(
        settings(files, folders, server, Duration.ofSeconds(60)), DownloadProgress.none());
  }

  private DebugFiles local() {
    return files(List.of(), List.of(), Optional.empty());
  }

  private Wanted wanted() {
    try (var file = DebugFile.open(program, local())) {
      return Wanted.of(program, file.elf());
    }
  }

  @Test
  void findsByBuildIdInTheSystemsTree() throws IOException {
    var there = write("debug/.build-id/aa/bbccddeeff.debug", debug(Optional.of(ID)));
    assertThat(local().find(wanted()).found()).contains(there);
  }

  @Test
  void findsByBuildIdInAFolderOfTheUserFirst() throws IOException {
    write("debug/.build-id/aa/bbccddeeff.debug", debug(Optional.of(ID)));
    var there = write("mine/.build-id/aa/bbccddeeff.debug", debug(Optional.of(ID)));
    var mine = temp.resolve("mine");
    assertThat(files(List.of(), List.of(mine), Optional.empty()).find(wanted()).found())
        .contains(there);
    assertThat(
            files(List.of(), List.of(mine.resolve(".build-id")), Optional.empty())
                .find(wanted())
                .found())
        .contains(there);
  }

  @Test
  void findsByDebugLinkWhereverGdbLooks() throws IOException {
    byte[] content = debug(Optional.empty());
    program = write("opt/bin/program", withoutSymbols(Optional.empty(), link("p.debug", content)));
    var relative = temp.getRoot().relativize(temp).toString();
    for (var place :
        List.of(
            "debug/" + relative + "/opt/bin/p.debug",
            "opt/bin/.debug/p.debug",
            "opt/bin/p.debug")) {
      var there = write(place, content);
      assertThat(local().find(wanted()).found()).as(place).contains(there);
    }
  }

  @Test
  void refusesAnotherChecksum() throws IOException {
    byte[] content = debug(Optional.empty());
    program = write("opt/bin/program", withoutSymbols(Optional.empty(), link("p.debug", content)));
    content[content.length - 1] ^= 1;
    write("opt/bin/p.debug", content);
    var search = local().find(wanted());
    assertThat(search.found()).isEmpty();
    assertThat(search.refused()).hasSize(1);
    assertThat(search.refused().getFirst().outcome().text()).contains("the debug link says 0x");
  }

  @Test
  void aDebugLinkDoesNotLeadOutOfItsFolder() throws IOException {
    byte[] content = debug(Optional.empty());
    program =
        write("opt/bin/program", withoutSymbols(Optional.empty(), link("../p.debug", content)));
    write("opt/p.debug", content);
    assertThat(local().find(wanted()).found()).isEmpty();
  }

  @Test
  void refusesAnotherBuildAndShowsBothIds() throws IOException {
    var wrong = write("debug/.build-id/aa/bbccddeeff.debug", debug(Optional.of(OTHER)));
    var search = local().find(wanted());
    assertThat(search.found()).isEmpty();
    assertThat(search.refused())
        .containsExactly(
            new Attempt(wrong.toString(), new Attempt.OtherBuild(ID, Optional.of(OTHER))));
    assertThat(search.refused().getFirst().outcome().text())
        .isEqualTo("is of another build: has build-id 0011223344, wanted aabbccddeeff");
    var files = local();
    assertThatThrownBy(() -> files.openGiven(wrong, Optional.of(ID)))
        .isInstanceOf(TargetException.class)
        .hasMessage(wrong + ": is of another build: has build-id 0011223344, wanted aabbccddeeff");
  }

  @Test
  void takesTheUsersFileForWhatItBelongsTo() throws IOException {
    var given = write("somewhere/x", debug(Optional.of(ID)));
    var files = files(List.of(given), List.of(), Optional.empty());
    assertThat(files.find(wanted()).found()).contains(given);
    assertThat(files.find(Wanted.of("other", OTHER)).found()).isEmpty();
  }

  @Test
  void usesTheFileItselfWhenItIsNotStripped() throws IOException {
    program = write("opt/bin/program", debug(Optional.of(ID)));
    assertThat(local().find(wanted()).found()).contains(program);
    program = write("opt/bin/program", withoutSymbols(Optional.of(ID), Optional.empty()));
    var search = local().find(wanted());
    assertThat(search.found()).isEmpty();
    assertThat(search.attempts().getLast().outcome()).isEqualTo(new Attempt.Stripped());
  }

  @Test
  void aFileWithSymbolsOnlyIsTakenWhenNoServerHasABetter() throws IOException {
    program = write("opt/bin/program", identified(Optional.of(ID)).build());
    try (var server = new FakeDebuginfod()) {
      var search = files(List.of(), List.of(), Optional.of(server.url())).find(wanted());
      assertThat(search.found()).contains(program);
      assertThat(search.attempts()).contains(new Attempt(program + "", new Attempt.SymbolsOnly()));
      assertThat(server.asked()).hasSize(1);
    }
    try (var server = new FakeDebuginfod()) {
      Files.delete(temp.resolve("cache/" + ID.hex() + "/debuginfo"));
      server.put("/buildid/" + ID.hex() + "/debuginfo", debug(Optional.of(ID)));
      assertThat(files(List.of(), List.of(), Optional.of(server.url())).find(wanted()).found())
          .contains(temp.resolve("cache/" + ID.hex() + "/debuginfo"));
    }
  }

  @Test
  void findsKernelsAndModules() throws IOException {
    var files = local();
    var kernel = write("debug/boot/vmlinux-6.1.0-1", debug(Optional.of(ID)));
    assertThat(files.find(kernel(files, "6.1.0-1", Optional.of(ID))).found()).contains(kernel);
    assertThat(files.find(kernel(files, "6.1.0-2", Optional.of(ID))).found()).isEmpty();
    var module =
        write(
            "debug/lib/modules/6.1.0-1/kernel/net/virtio-net.ko.debug", debug(Optional.of(OTHER)));
    write("debug/lib/modules/6.1.0-1/kernel/net/virtio-net.ko", debug(Optional.of(OTHER)));
    assertThat(files.find(files.module("6.1.0-1", "virtio_net", Optional.of(OTHER))).found())
        .contains(module);
    var built = write("lib/modules/6.9/build/vmlinux", debug(Optional.of(ID)));
    assertThat(files.find(kernel(files, "6.9", Optional.empty())).found()).contains(built);
  }

  @Test
  void opensWhatDwzShared() throws IOException {
    var writer = identified(Optional.of(ID));
    writer.section(".debug_info", new byte[16]);
    byte[] alt = "../.dwz/common\0".getBytes(StandardCharsets.US_ASCII);
    writer.section(
        ".gnu_debugaltlink",
        ByteBuffer.allocate(alt.length + 5)
            .put(alt)
            .put(HexFormat.of().parseHex(OTHER.hex()))
            .array());
    var main = write("debug/x/main.debug", writer.build());
    var shared = write("debug/.dwz/common", debug(Optional.of(OTHER)));
    try (var file = DebugFile.open(main, local())) {
      assertThat(file.supplementary().orElseThrow().name()).isEqualTo(shared.toString());
    }
    write("debug/.dwz/common", debug(Optional.of(ID)));
    try (var file = DebugFile.open(main, local())) {
      assertThat(file.supplementary()).isEmpty(); // is of another build
    }
  }

  @Test
  void opensSplitFilesAndPackages() throws IOException {
    var main = write("build/main", debug(Optional.of(ID)));
    var dwo = write("build/obj/a.dwo", debug(Optional.empty()));
    var dwp = write("build/main.dwp", debug(Optional.empty()));
    try (var file = DebugFile.open(main, local())) {
      assertThat(file.split("obj/a.dwo", temp.resolve("build").toString(), 1).orElseThrow().name())
          .isEqualTo(dwo.toString());
      assertThat(file.split("obj/b.dwo", temp.resolve("build").toString(), 1)).isEmpty();
      assertThat(file.splitPackage().orElseThrow().name()).isEqualTo(dwp.toString());
    }
  }

  @Test
  void asksServersAndKeepsWhatTheySend() throws IOException {
    byte[] content = debug(Optional.of(ID));
    try (var server = new FakeDebuginfod()) {
      server.put("/buildid/" + ID.hex() + "/debuginfo", content);
      var found = files(List.of(), List.of(), Optional.of(server.url())).find(wanted()).found();
      var kept = temp.resolve("cache/" + ID.hex() + "/debuginfo");
      assertThat(found).contains(kept);
      assertThat(kept).hasBinaryContent(content);
      try (var all = Files.list(kept.getParent())) {
        assertThat(all).containsExactly(kept); // no parts are left
      }
      assertThat(server.asked()).hasSize(1);

      files(List.of(), List.of(), Optional.of(server.url())).find(wanted());
      assertThat(server.asked()).hasSize(1); // from the cache
    }
  }

  @Test
  void refusesWhatAServerSendsOfAnotherBuild() throws IOException {
    try (var server = new FakeDebuginfod()) {
      server.put("/buildid/" + ID.hex() + "/debuginfo", debug(Optional.of(OTHER)));
      var search = files(List.of(), List.of(), Optional.of(server.url())).find(wanted());
      assertThat(search.found()).isEmpty();
      assertThat(search.refused()).hasSize(1);
    }
  }

  @Test
  void remembersThatNoServerHasIt() throws IOException {
    try (var server = new FakeDebuginfod()) {
      var kept = temp.resolve("cache/" + ID.hex() + "/debuginfo");
      assertThat(files(List.of(), List.of(), Optional.of(server.url())).find(wanted()).found())
          .isEmpty();
      assertThat(kept).isEmptyFile();
      files(List.of(), List.of(), Optional.of(server.url())).find(wanted());
      assertThat(server.asked()).hasSize(1);

      Files.writeString(temp.resolve("cache/cache_miss_s"), "0\n");
      files(List.of(), List.of(), Optional.of(server.url())).find(wanted());
      assertThat(server.asked()).hasSize(2);
    }
  }

  @Test
  void aServersErrorIsNoAnswer() throws IOException {
    try (var server = new FakeDebuginfod()) {
      server.answerOthers("502 Bad Gateway");
      var search = files(List.of(), List.of(), Optional.of(server.url())).find(wanted());
      assertThat(search.attempts().getLast().outcome().text()).isEqualTo("HTTP status 502");
      assertThat(temp.resolve("cache/" + ID.hex() + "/debuginfo")).doesNotExist();
    }
    var gone = URI.create("http://127.0.0.1:1/");
    var search = files(List.of(), List.of(), Optional.of(gone)).find(wanted());
    assertThat(search.attempts().getLast().outcome().text()).startsWith("cannot be fetched: ");
  }

  @Test
  void givesUpAServerThatSendsNothingMore() throws IOException {
    try (var server = new FakeDebuginfod()) {
      server.put("/buildid/" + ID.hex() + "/debuginfo", debug(Optional.of(ID)));
      server.stall();
      var settings =
          settings(List.of(), List.of(), Optional.of(server.url()), Duration.ofSeconds(1));
      var steps = new ArrayList<OptionalLong>();
      var files =
          new DebugFiles(
              settings,
              (url, _, total) -> {
                assertThat(url).endsWith("/debuginfo");
                steps.add(total);
                return true;
              });
      var search = files.find(wanted());
      assertThat(search.found()).isEmpty();
      assertThat(search.attempts().getLast().outcome().text())
          .isEqualTo("sent nothing for 1 seconds");
      assertThat(steps).contains(OptionalLong.of(debug(Optional.of(ID)).length));
      assertThat(temp.resolve("cache/" + ID.hex())).isEmptyDirectory();
    }
  }

  @Test
  void aDownloadCanBeInterrupted() throws IOException {
    try (var server = new FakeDebuginfod()) {
      server.put("/buildid/" + ID.hex() + "/debuginfo", debug(Optional.of(ID)));
      server.stall();
      var files =
          new DebugFiles(
              settings(List.of(), List.of(), Optional.of(server.url()), Duration.ofSeconds(60)),
              (_, _, _) -> false);
      assertThat(files.find(wanted()).attempts().getLast().outcome().text())
          .isEqualTo("interrupted");
    }
  }

  @Test
  void fetchesSourcesAndExecutables() throws IOException {
    try (var server = new FakeDebuginfod()) {
      server.put("/buildid/" + ID.hex() + "/source/usr/src/a%2Bb.c", new byte[] {'i', 'n', 't'});
      server.put("/buildid/" + ID.hex() + "/executable", new byte[] {1});
      var files = files(List.of(), List.of(), Optional.of(server.url()));
      assertThat(files.source(ID, "/usr/src/a+b.c"))
          .contains(temp.resolve("cache/" + ID.hex() + "/source#usr#src#a+b.c"));
      assertThat(files.source(ID, "relative.c")).isEmpty();
      assertThat(files.executable(ID).orElseThrow()).hasBinaryContent(new byte[] {1});
    }
  }

  @Test
  void theNetworkIsOffUnlessConfigured() {
    var settings = DebugFileSettings.fromEnvironment(Map.of("HOME", "/h"), List.of(), List.of());
    assertThat(settings.servers()).isEmpty();
    assertThat(settings.cache()).contains(Path.of("/h/.cache/debuginfod_client"));
    assertThat(settings.timeout()).isEqualTo(Duration.ofSeconds(90));

    var configured =
        DebugFileSettings.fromEnvironment(
            Map.of(
                "DEBUGINFOD_URLS", "https://a.example ima:enforcing http://b.example/x/",
                "DEBUGINFOD_TIMEOUT", "7",
                "DEBUGINFOD_CACHE_PATH", "/c",
                "FATHOM_DEBUG_PATH", "/d:/e"),
            List.of(),
            List.of(Path.of("/f")));
    assertThat(configured.servers())
        .containsExactly(URI.create("https://a.example/"), URI.create("http://b.example/x/"));
    assertThat(configured.timeout()).isEqualTo(Duration.ofSeconds(7));
    assertThat(configured.cache()).contains(Path.of("/c"));
    assertThat(configured.folders()).containsExactly(Path.of("/f"), Path.of("/d"), Path.of("/e"));
  }

  private static Wanted kernel(DebugFiles files, String release, Optional<BuildId> id) {
    return files.kernel(release, Optional.empty(), id, Optional.empty());
  }
}
