// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The sections of an ELF file (System V ABI, chapter 4, "Sections"): {@code section headers at
 * e_shoff}. When there are more than 65279, {@code e_shnum} is 0 and section header 0's {@code
 * sh_size} holds their number; when the names' section does not fit in {@code e_shstrndx}, that is
 * {@link Elf#SHN_XINDEX} and section header 0's {@code sh_link} holds it.
 *
 * <p>What a section holds is decompressed and relocated when it is first asked for, once. May be
 * used by several threads.
 */
public final class ElfSections {
  private static final int SHDR64 = 64;
  private static final int SHDR32 = 40;
  private static final int MAX_SECTIONS = 1 << 20;
  private static final int MAX_NAME = 1024;
  private static final int CHUNK = 1 << 20;
  private static final int PAGE = 4096;

  /** Sections of one name, of a relocatable file, that are read as one: in bytes together. */
  private static final long MAX_JOINED = 1L << 28;

  /** Sections of which there may be many, each with a unit of a type (DWARF 5, appendix E.2). */
  private static final Set<String> UNITS =
      Set.of(".debug_info", ".debug_info.dwo", ".debug_types", ".debug_types.dwo");

  private final ElfFile file;
  private final List<SectionHeader> headers;
  private final Map<String, SectionHeader> byName;
  private final Map<Integer, Content> contents = new ConcurrentHashMap<>();
  private final Map<String, Optional<ByteSource>> joined = new ConcurrentHashMap<>();

  private ElfSections(ElfFile file, List<SectionHeader> headers) {
    this.file = file;
    this.headers = headers;
    this.byName = HashMap.newHashMap(headers.size());
    for (var header : headers) {
      byName.putIfAbsent(header.name(), header);
    }
  }

  /** A section's bytes as they are used, made when first asked for. */
  private final class Content {
    private final SectionHeader section;
    private Optional<ByteSource> plain;
    private Optional<ByteSource> relocated;

    Content(SectionHeader section) {
      this.section = section;
    }

    synchronized Optional<ByteSource> plain() {
      if (plain == null) {
        plain = raw(section).map(raw -> CompressedSection.expand(file.header(), section, raw));
      }
      return plain;
    }

    synchronized Optional<ByteSource> relocated() {
      if (relocated == null) {
        relocated = plain().map(bytes -> new Relocator(ElfSections.this).apply(section, bytes));
      }
      return relocated;
    }
  }

  static ElfSections none(ElfFile file) {
    return new ElfSections(file, List.of());
  }

  static ElfSections read(ElfFile file) {
    var source = file.source();
    var header = file.header();
    long offset = header.shoff();
    int entry = header.shentsize();
    if (offset == 0) {
      return none(file);
    }
    int least = header.is64() ? SHDR64 : SHDR32;
    if (entry < least) {
      throw new BadDataException(
          source.name(),
          header.is64() ? 58 : 46,
          "e_shentsize is " + entry + ", expected at least " + least);
    }
    if (offset < 0 || offset > source.size() - entry) {
      throw new BadDataException(
          source.name(),
          header.is64() ? 40 : 32,
          "section headers at 0x"
              + Long.toHexString(offset)
              + ", but the file ends at 0x"
              + Long.toHexString(source.size()));
    }
    var first = parse(header, buffer(file, offset, entry), 0, 0, "");
    long count = header.shnum() == 0 ? first.size() : header.shnum();
    if (count < 0 || count > MAX_SECTIONS || count > (source.size() - offset) / entry) {
      throw new BadDataException(
          source.name(),
          offset,
          Long.toUnsignedString(count)
              + " section headers of "
              + entry
              + " bytes, but the file ends at 0x"
              + Long.toHexString(source.size()));
    }
    var unnamed = new ArrayList<SectionHeader>((int) count);
    var names = new int[(int) count];
    int perChunk = CHUNK / entry;
    for (int done = 0; done < count; ) {
      int now = (int) Math.min(perChunk, count - done);
      var b = buffer(file, offset + (long) done * entry, now * entry);
      for (int i = 0; i < now; i++) {
        names[done + i] = b.getInt(i * entry);
        unnamed.add(parse(header, b, i * entry, done + i, ""));
      }
      done += now;
    }
    int strings =
        header.shstrndx() == Elf.SHN_XINDEX && !unnamed.isEmpty()
            ? unnamed.getFirst().link()
            : header.shstrndx();
    if (strings <= 0 || strings >= count) {
      return new ElfSections(file, List.copyOf(unnamed));
    }
    return new ElfSections(file, named(file, unnamed, names, unnamed.get(strings)));
  }

  private static ByteBuffer buffer(ElfFile file, long offset, int size) {
    return ByteBuffer.wrap(file.source().bytes(offset, size)).order(file.header().order());
  }

  private static List<SectionHeader> named(
      ElfFile file, List<SectionHeader> unnamed, int[] names, SectionHeader strings) {
    long start = strings.offset();
    long end = start + strings.size();
    long limit = file.source().size();
    if (start < 0 || strings.size() < 0 || end > limit || end < 0) {
      throw new BadDataException(
          file.source().name(),
          file.header().shoff(),
          "section " + strings.index() + " with the sections' names lies outside the file");
    }
    var named = new ArrayList<SectionHeader>(unnamed.size());
    for (int i = 0; i < names.length; i++) {
      var s = unnamed.get(i);
      long at = start + Integer.toUnsignedLong(names[i]);
      var name = at >= end ? "" : name(file.source(), at, end);
      named.add(
          new SectionHeader(
              s.index(),
              name,
              s.type(),
              s.flags(),
              s.addr(),
              s.offset(),
              s.size(),
              s.link(),
              s.info(),
              s.align(),
              s.entsize()));
    }
    return List.copyOf(named);
  }

  private static String name(ByteSource source, long at, long end) {
    var bytes = source.bytes(at, (int) Math.min(MAX_NAME, end - at));
    int length = 0;
    while (length < bytes.length && bytes[length] != 0) {
      length++;
    }
    return new String(bytes, 0, length, StandardCharsets.UTF_8);
  }

  private static SectionHeader parse(
      ElfHeader header, ByteBuffer b, int at, int index, String name) {
    return header.is64()
        ? new SectionHeader(
            index,
            name,
            b.getInt(at + 4),
            b.getLong(at + 8),
            b.getLong(at + 16),
            b.getLong(at + 24),
            b.getLong(at + 32),
            b.getInt(at + 40),
            b.getInt(at + 44),
            b.getLong(at + 48),
            b.getLong(at + 56))
        : new SectionHeader(
            index,
            name,
            b.getInt(at + 4),
            unsigned(b, at + 8),
            unsigned(b, at + 12),
            unsigned(b, at + 16),
            unsigned(b, at + 20),
            b.getInt(at + 24),
            b.getInt(at + 28),
            unsigned(b, at + 32),
            unsigned(b, at + 36));
  }

  private static long unsigned(ByteBuffer b, int at) {
    return Integer.toUnsignedLong(b.getInt(at));
  }

  ElfFile file() {
    return file;
  }

  /** Every section in the file's order; the first is the empty one that the format demands. */
  public List<SectionHeader> all() {
    return headers;
  }

  /** The first section of that name. */
  public Optional<SectionHeader> named(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  /**
   * The section with that number.
   *
   * @throws BadDataException when there are fewer
   */
  public SectionHeader get(int index) {
    if (index < 0 || index >= headers.size()) {
      throw new BadDataException(
          file.source().name(),
          file.header().shoff(),
          "no section " + index + ", there are " + headers.size());
    }
    return headers.get(index);
  }

  /**
   * The section's bytes as they stand in the file, not copied; absent for a section without bytes
   * there (SHT_NOBITS, as most sections of a separate debug file). Named after file and section.
   *
   * @throws BadDataException when they lie outside the file
   */
  public Optional<ByteSource> raw(SectionHeader section) {
    if (section.type() == Elf.SHT_NOBITS || section.type() == Elf.SHT_NULL) {
      return Optional.empty();
    }
    var source = file.source();
    if (section.offset() < 0
        || section.size() < 0
        || section.offset() > source.size() - section.size()) {
      throw new BadDataException(
          source.name(),
          section.offset(),
          "section "
              + section.name()
              + " of 0x"
              + Long.toHexString(section.size())
              + " bytes, but the file ends at 0x"
              + Long.toHexString(source.size()));
    }
    return Optional.of(
        ByteSource.of(label(section), source.slice(section.offset(), section.size())));
  }

  /** How messages call a section: {@code file(.section)}. */
  String label(SectionHeader section) {
    return file.source().name() + "(" + section.name() + ")";
  }

  /**
   * The section's content: decompressed when it is compressed, else {@link #raw}.
   *
   * @throws BadDataException when it lies outside the file, or is corrupt or absurdly large when
   *     decompressed
   */
  public Optional<ByteSource> content(SectionHeader section) {
    return contents.computeIfAbsent(section.index(), _ -> new Content(section)).plain();
  }

  /**
   * The content of the section of that name, decompressed and, in relocatable files, relocated:
   * each section at {@link #address}. {@code .zdebug_info} answers for {@code .debug_info}, as
   * binutils before 2.26 named compressed sections. What units of types are in, of which
   * relocatable files have one section each, is answered one behind the other.
   *
   * @throws BadDataException as {@link #content}, and for a relocation of an unknown kind or
   *     outside the section
   */
  public Optional<ByteSource> relocated(String name) {
    var section = named(name);
    if (section.isEmpty() && name.startsWith(".debug_")) {
      section = named(".zdebug_" + name.substring(".debug_".length()));
    }
    return section.isPresent() && UNITS.contains(name) && file.header().type() == Elf.ET_REL
        ? joined.computeIfAbsent(name, this::join)
        : section.flatMap(this::relocated);
  }

  private Optional<ByteSource> join(String name) {
    var parts = new ArrayList<ByteSource>();
    var label = file.source().name() + "(" + name + ")";
    long size = 0;
    for (var header : headers) {
      var part = header.name().equals(name) ? relocated(header) : Optional.<ByteSource>empty();
      if (part.isPresent()) {
        parts.add(part.get());
        size += part.get().size();
      }
      // Looked at before the next one is expanded: many headers may have the same small bytes.
      if (size > MAX_JOINED && parts.size() > 1) {
        throw new BadDataException(
            label,
            0,
            parts.size() + " sections of together " + size + " bytes, expected <= " + MAX_JOINED);
      }
    }
    if (parts.size() < 2) {
      return parts.stream().findFirst();
    }
    var bytes = new byte[(int) size];
    int at = 0;
    for (var part : parts) {
      part.copy(0, part.size(), MemorySegment.ofArray(bytes), at);
      at += (int) part.size();
    }
    return Optional.of(ByteSource.of(label, bytes));
  }

  /** As {@link #relocated(String)}. */
  public Optional<ByteSource> relocated(SectionHeader section) {
    return contents.computeIfAbsent(section.index(), _ -> new Content(section)).relocated();
  }

  /**
   * Where the section stands in the file's numbering of virtual addresses. In a relocatable file
   * every section claims address 0; so that an address names one place, the loaded sections are
   * laid out one behind the other, in the file's order, from 0 on, each at its alignment and with
   * pages between them that belong to none.
   */
  public long address(SectionHeader section) {
    return file.header().type() == Elf.ET_REL ? layout()[section.index()] : section.addr();
  }

  private long[] layout;

  private synchronized long[] layout() {
    if (layout == null) {
      var addresses = new long[headers.size()];
      long next = 0;
      for (var section : headers) {
        if (section.isLoaded()) {
          long align = Math.clamp(Long.highestOneBit(section.align()), 1, 1 << 21);
          next = (next + align - 1) & -align;
          addresses[section.index()] = next;
          // Addresses stay positive: 2^20 sections of less than 2^42 bytes.
          next += Math.clamp(section.size(), 0, 1L << 42) + PAGE;
        } else {
          addresses[section.index()] = section.addr();
        }
      }
      layout = addresses;
    }
    return layout;
  }

  /** The symbol table of that type, {@link Elf#SHT_SYMTAB} or {@link Elf#SHT_DYNSYM}. */
  Optional<ElfSymtab> symbolTable(int type) {
    for (var section : headers) {
      if (section.type() == type) {
        var table = raw(section);
        return table.isEmpty() ? Optional.empty() : Optional.of(symtab(section, table.get()));
      }
    }
    return Optional.empty();
  }

  private ElfSymtab symtab(SectionHeader section, ByteSource table) {
    var strings = raw(get(section.link()));
    if (strings.isEmpty()) {
      throw new BadDataException(
          label(section), 0, "its names' section " + section.link() + " has no bytes");
    }
    Optional<ByteSource> indexes = Optional.empty();
    for (var other : headers) {
      if (other.type() == Elf.SHT_SYMTAB_SHNDX && other.link() == section.index()) {
        indexes = raw(other);
      }
    }
    return ElfSymtab.read(file.header(), table, section.entsize(), strings.get(), indexes);
  }

  /**
   * {@code .gnu_debuglink}, where the file has one.
   *
   * @throws BadDataException when it is too short
   */
  public Optional<DebugLink> debugLink() {
    return named(".gnu_debuglink")
        .flatMap(this::raw)
        .map(
            bytes -> {
              var cursor = bytes.cursor(0, file.header().order());
              var name = cursor.cString(PAGE);
              return new DebugLink(name, cursor.align(4).u32());
            });
  }

  /**
   * {@code .gnu_debugaltlink}, where the file has one.
   *
   * @throws BadDataException when its path does not end
   */
  public Optional<AltLink> altLink() {
    return named(".gnu_debugaltlink")
        .flatMap(this::raw)
        .map(
            bytes -> {
              var cursor = bytes.cursor(0, file.header().order());
              var path = cursor.cString(PAGE);
              return new AltLink(path, BuildId.of(bytes.part(cursor.offset(), cursor.remaining())));
            });
  }

  /**
   * The symbols that {@code .gnu_debugdata} holds (GDB manual, "MiniDebugInfo"): an ELF file with
   * the local functions of a stripped file, compressed with xz. Decompressed at each call.
   *
   * @throws BadDataException when it is corrupt or too large
   */
  public Optional<ElfFile> miniDebugInfo() {
    return named(".gnu_debugdata")
        .flatMap(this::raw)
        .map(bytes -> ElfFile.read(CompressedSection.xz(bytes)));
  }
}
