// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import dev.fathom.base.ByteSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** The dynamic segment (System V ABI, chapter 5): {@code { word d_tag, d_val }* } up to DT_NULL. */
public final class ElfDynamic {
  private static final int MAX_ENTRIES = 1 << 16;
  private static final int MAX_NAME = 4096;

  /** No object that is loaded has more symbols to link by. */
  private static final long MAX_SYMBOLS = 1 << 24;

  /** One entry. */
  public record Entry(long tag, long value) {}

  private final ElfFile file;
  private final List<Entry> entries;

  private ElfDynamic(ElfFile file, List<Entry> entries) {
    this.file = file;
    this.entries = entries;
  }

  static Optional<ElfDynamic> read(ElfFile file, ProgramHeader segment) {
    var bytes = file.bytesOf(segment);
    if (bytes.isEmpty()) {
      return Optional.empty();
    }
    boolean is64 = file.header().is64();
    var cursor = bytes.get().cursor(0, file.header().order());
    var entries = new ArrayList<Entry>();
    while (cursor.remaining() >= (is64 ? 16 : 8) && entries.size() < MAX_ENTRIES) {
      long tag = is64 ? cursor.u64() : cursor.u32();
      long value = is64 ? cursor.u64() : cursor.u32();
      if (tag == Elf.DT_NULL) {
        break;
      }
      entries.add(new Entry(tag, value));
    }
    return Optional.of(new ElfDynamic(file, List.copyOf(entries)));
  }

  /** The entries before DT_NULL. */
  public List<Entry> entries() {
    return entries;
  }

  /** The value of the first entry with that tag. */
  public OptionalLong value(long tag) {
    for (var entry : entries) {
      if (entry.tag() == tag) {
        return OptionalLong.of(entry.value());
      }
    }
    return OptionalLong.empty();
  }

  /** DT_SONAME: what other files call this one by. */
  public Optional<String> soname() {
    var value = value(Elf.DT_SONAME);
    return value.isEmpty() ? Optional.empty() : string(value.getAsLong());
  }

  /** DT_NEEDED: the shared objects that are loaded with this file. */
  public List<String> needed() {
    return entries.stream()
        .filter(entry -> entry.tag() == Elf.DT_NEEDED)
        .flatMap(entry -> string(entry.value()).stream())
        .toList();
  }

  private Optional<String> string(long at) {
    return strings()
        .filter(strings -> at >= 0 && at < strings.size())
        .map(strings -> strings.cursor(at, file.header().order()).cString(MAX_NAME));
  }

  private Optional<ByteSource> strings() {
    var at = pointer(Elf.DT_STRTAB);
    long size = value(Elf.DT_STRSZ).orElse(0);
    return at.isEmpty() || size <= 0 ? Optional.empty() : Optional.of(part(at.getAsLong(), size));
  }

  private ByteSource part(long at, long size) {
    return file.source().part(at, Math.min(size, file.source().size() - at));
  }

  /** Where an address of the segment leads to. In memory the dynamic linker may have moved it. */
  private OptionalLong pointer(long tag) {
    var value = value(tag);
    if (value.isEmpty()) {
      return OptionalLong.empty();
    }
    var there = file.offsetOf(value.getAsLong());
    return there.isPresent() || file.bias().isEmpty()
        ? there
        : file.offsetOf(value.getAsLong() - file.bias().getAsLong());
  }

  /** The symbols to link by, whose number the hash table tells. */
  Optional<ElfSymtab> symbols() {
    var table = pointer(Elf.DT_SYMTAB);
    var names = strings();
    if (table.isEmpty() || names.isEmpty()) {
      return Optional.empty();
    }
    long entsize = value(Elf.DT_SYMENT).orElse(file.header().is64() ? 24 : 16);
    long count = Math.min(symbolCount(), MAX_SYMBOLS);
    long room = file.source().size() - table.getAsLong();
    if (count == 0 || entsize <= 0 || count > room / entsize) {
      return Optional.empty();
    }
    return Optional.of(
        ElfSymtab.read(
            file.header(),
            file.source().part(table.getAsLong(), count * entsize),
            entsize,
            names.get(),
            Optional.empty()));
  }

  private long symbolCount() {
    var hash = pointer(Elf.DT_HASH);
    if (hash.isPresent()) {
      // { u32 nbucket, nchain, ... }: one chain for each symbol.
      return file.source().cursor(hash.getAsLong(), file.header().order()).skip(4).u32();
    }
    var gnu = pointer(Elf.DT_GNU_HASH);
    return gnu.isPresent() ? gnuCount(gnu.getAsLong()) : 0;
  }

  /**
   * {@code { u32 nbuckets, symoffset, bloom_size, bloom_shift; word bloom[]; u32 buckets[]; u32
   * chain[] }}: the highest symbol in a bucket begins the last chain, which ends with an odd hash.
   */
  private long gnuCount(long at) {
    var cursor = file.source().cursor(at, file.header().order());
    long buckets = cursor.u32();
    long first = cursor.u32();
    long bloom = cursor.u32();
    cursor.skip(4);
    cursor.skip(bloom * (file.header().is64() ? 8 : 4));
    long last = 0;
    for (long i = 0; i < buckets; i++) {
      last = Math.max(last, cursor.u32());
    }
    if (last < first) {
      return first;
    }
    cursor.skip((last - first) * 4);
    while ((cursor.i32() & 1) == 0) {
      last++;
    }
    return last + 1;
  }
}
