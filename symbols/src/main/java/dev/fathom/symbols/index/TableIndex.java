// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.index;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.format.btf.Btf;
import dev.fathom.format.dwarf.Dwarf;
import dev.fathom.format.dwarf.DwarfNames;
import dev.fathom.format.dwarf.LineFiles;
import dev.fathom.format.kallsyms.Kallsyms;
import dev.fathom.format.kallsyms.KallsymsPositions;
import dev.fathom.symbols.KallsymsSymbols;
import dev.fathom.symbols.dwarf.NameLookup;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.zip.CRC32;

/**
 * Opens the tables of one kernel, with the help of an index where there is one, and stores one
 * where there is none. The index of a build-id is used only if the tables' bytes have the checksum
 * that they had when it was made, so a damaged dump or a reused build-id is no danger.
 */
public final class TableIndex {
  private static final int MAX_BUILD_ID = 128;

  /** What the stored arrays mean; one more with each change of that. */
  private static final int VERSION = 3;

  /** How many bytes at the start and at the end of each section are compared. */
  private static final int SAMPLE = 4096;

  /** Larger tables than any kernel has are opened without an index. */
  private static final long MAX_TABLES = 1L << 30;

  private final Optional<IndexFolder> folder;
  private final String buildId;
  private final int version;

  private TableIndex(Optional<IndexFolder> folder, String buildId, int version) {
    this.folder = folder;
    this.buildId = buildId;
    this.version = version;
  }

  /** Opens tables without an index. */
  public static TableIndex none() {
    return new TableIndex(Optional.empty(), "", VERSION);
  }

  /**
   * The index of one kernel.
   *
   * @param path the folder of all indexes; need not exist
   * @param buildId the kernel's GNU build-id in hexadecimal; anything else has no index
   */
  public static TableIndex of(Path path, String buildId) {
    return of(new IndexFolder(path, IndexFolder.DEFAULT_LIMIT), buildId);
  }

  /** As {@link #of(Path, String)}, in a folder with a limit of its own. */
  public static TableIndex of(IndexFolder folder, String buildId) {
    return of(folder, buildId, VERSION);
  }

  /** As {@link #of(IndexFolder, String)}, with arrays of another meaning. */
  static TableIndex of(IndexFolder folder, String buildId, int version) {
    return isBuildId(buildId) ? new TableIndex(Optional.of(folder), buildId, version) : none();
  }

  /** It becomes a file's name, so it must be what it should be. */
  private static boolean isBuildId(String text) {
    if (text.isEmpty() || text.length() > MAX_BUILD_ID) {
      return false;
    }
    for (int i = 0; i < text.length(); i++) {
      if (Character.digit(text.charAt(i), 16) < 0 || text.charAt(i) > 'f') {
        return false;
      }
    }
    return true;
  }

  /**
   * Numbers that were kept for this kernel: what does not change from boot to boot.
   *
   * @param name what they are, a word
   * @param count how many they must be
   */
  public Optional<int[]> facts(String name, int count) {
    if (folder.isEmpty()) {
      return Optional.empty();
    }
    var known = folder.get().load(buildId + "-" + name, version);
    return known.isPresent() && known.get().length == 1 && known.get()[0].length == count
        ? Optional.of(known.get()[0])
        : Optional.empty();
  }

  /** Keeps numbers for {@link #facts}. */
  public void keepFacts(String name, int[] values) {
    folder.ifPresent(f -> f.store(buildId + "-" + name, version, values));
  }

  /**
   * The symbols whose tables stand at {@code positions} of {@code memory}.
   *
   * @throws BadDataException when the tables contradict each other
   */
  public KallsymsSymbols symbols(ByteSource memory, KallsymsPositions positions) {
    long start = positions.names();
    long end = positions.tokenIndex() + 512;
    if (folder.isEmpty() || end - start > MAX_TABLES) {
      return KallsymsSymbols.of(Kallsyms.read(memory, positions));
    }
    var name = buildId + "-kallsyms";
    long fingerprint = fingerprint(memory, start, end);
    var known = folder.get().load(name, fingerprint);
    if (known.isPresent() && known.get().length == 3) {
      int[][] arrays = known.get();
      var names = new KallsymsSymbols.NameIndex(arrays[1], arrays[2]);
      return KallsymsSymbols.of(Kallsyms.read(memory, positions, arrays[0]), names);
    }
    var symbols = KallsymsSymbols.of(Kallsyms.read(memory, positions));
    var names = symbols.nameIndex();
    folder
        .get()
        .store(name, fingerprint, symbols.kallsyms().nameOffsets(), names.heads(), names.nexts());
    return symbols;
  }

  /**
   * The kernel's BTF.
   *
   * @throws BadDataException when it is not BTF or is truncated
   */
  public Btf btf(ByteSource section) {
    if (folder.isEmpty() || section.size() > MAX_TABLES) {
      return Btf.parse(section);
    }
    var name = buildId + "-btf";
    long fingerprint = fingerprint(section, 0, section.size());
    var known = folder.get().load(name, fingerprint);
    if (known.isPresent() && known.get().length == 3) {
      int[][] arrays = known.get();
      return Btf.parse(section, new Btf.Index(arrays[0], arrays[1], arrays[2]));
    }
    var btf = Btf.parse(section);
    var index = btf.index();
    folder.get().store(name, fingerprint, index.typeAt(), index.heads(), index.nexts());
    return btf;
  }

  /**
   * How names in a file's DWARF are found: in the index, or by the file's own table where there is
   * none yet, or by a pass over all of it, which is made when it is needed.
   *
   * @param all the pass; called at most once
   * @param problems is told why a table is not used
   */
  public NameLookup nameLookup(
      Dwarf dwarf, Supplier<Optional<DwarfNames>> all, Consumer<BadDataException> problems) {
    var kept = keptNames(dwarf);
    if (kept.isPresent()) {
      return NameLookup.of(() -> kept);
    }
    var tables = dwarf.nameTables();
    tables.problems().forEach(problems);
    return tables.table().isPresent()
        ? NameLookup.of(tables.table().get(), all, problems)
        : NameLookup.of(all);
  }

  private Optional<DwarfNames> keptNames(Dwarf dwarf) {
    return folder.flatMap(
        f -> f.load(buildId + "-dwarf", fingerprint(dwarf)).flatMap(a -> DwarfNames.of(dwarf, a)));
  }

  /**
   * The names in a file's DWARF, which must be that of the build-id.
   *
   * @param threads how many threads to use at most when there is no index yet
   */
  public DwarfNames dwarfNames(Dwarf dwarf, int threads) {
    var known = keptNames(dwarf);
    if (known.isPresent()) {
      return known.get();
    }
    var names = DwarfNames.build(dwarf, threads);
    if (folder.isPresent() && names.problems().isEmpty()) { // else they would be told only once
      folder.get().store(buildId + "-dwarf", fingerprint(dwarf), names.arrays());
    }
    return names;
  }

  /**
   * Which units have code of which source files, in a file that must be that of the build-id.
   *
   * @param threads how many threads to use at most when there is no index yet
   */
  public LineFiles lineFiles(Dwarf dwarf, int threads) {
    if (folder.isEmpty()) {
      return LineFiles.build(dwarf, threads);
    }
    var name = buildId + "-lines";
    long fingerprint = fingerprint(dwarf);
    var known = folder.get().load(name, fingerprint).flatMap(a -> LineFiles.of(dwarf, a));
    if (known.isPresent()) {
      return known.get();
    }
    var files = LineFiles.build(dwarf, threads);
    folder.get().store(name, fingerprint, files.arrays());
    return files;
  }

  /**
   * Of the sections, which are hundreds of megabytes large, the sizes and a sample: the build-id
   * already says that the file is the same, and this that it is whole. Of the files that hold split
   * units which they are, since these come, go and change without it.
   */
  private long fingerprint(Dwarf dwarf) {
    var crc = new CRC32();
    crc.update(version);
    sample(crc, dwarf);
    dwarf.supplementary().ifPresent(other -> sample(crc, other));
    for (var part : dwarf.splitParts()) {
      crc.update(part.toString().getBytes(StandardCharsets.UTF_8));
    }
    return crc.getValue();
  }

  private static void sample(CRC32 crc, Dwarf dwarf) {
    for (var name :
        List.of(".debug_info", ".debug_types", ".debug_abbrev", ".debug_str", ".debug_line")) {
      var section = dwarf.section(name);
      if (section.isPresent()) {
        long size = section.get().size();
        crc.update(Long.toString(size).getBytes(StandardCharsets.US_ASCII));
        int length = (int) Math.min(size, SAMPLE);
        crc.update(section.get().bytes(0, length));
        crc.update(section.get().bytes(size - length, length));
      }
    }
  }

  /**
   * Checksum and length of the bytes from {@code start} to {@code end}, and of what the arrays made
   * of them mean.
   */
  private long fingerprint(ByteSource source, long start, long end) {
    if (end <= start) {
      throw new BadDataException(
          source.name(),
          start,
          "the tables end at 0x" + Long.toHexString(end) + ", before they begin");
    }
    var crc = new CRC32();
    crc.update(version);
    crc.update(source.slice(start, end - start).asByteBuffer());
    return crc.getValue() << 32 | ((end - start) & 0xffffffffL);
  }
}
