// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.boot;

import dev.fathom.base.ByteSource;
import dev.fathom.base.FathomException;
import dev.fathom.base.MappedFile;
import dev.fathom.base.TargetException;
import dev.fathom.format.elf.BuildId;
import dev.fathom.format.elf.Elf;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.format.elf.ElfNotes;
import dev.fathom.format.elf.ElfSymtab;
import dev.fathom.model.Memory;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * The file that a running kernel was loaded from, {@code vmlinux} with its symbol table, which the
 * user named: what never changes in memory is read in it instead. Only what was asked for is kept;
 * the file is opened anew for each large read.
 */
public final class KernelFile {
  /** Larger than the notes of any kernel. */
  private static final int NOTES_LIMIT = 64 << 10;

  /** KASLR moves images by multiples of this. */
  private static final long STEP = 2L << 20;

  /** The variable that has the direct map's address (arch/x86/mm/kaslr.c). */
  static final String PAGE_OFFSET = "page_offset_base";

  /**
   * The tables at the top (arch/x86/kernel/head_64.S): the root, called init_level4_pgt before
   * 4.13; what leads from a root of five levels to the next.
   */
  static final List<String> TABLES =
      List.of("init_top_pgt", "init_level4_pgt", "level4_kernel_pgt", "level3_kernel_pgt");

  /** What else is looked up in a kernel's file. */
  private static final List<String> NAMES =
      List.of(
          "_text",
          PAGE_OFFSET,
          "kallsyms_num_syms",
          "kallsyms_names",
          "kallsyms_token_table",
          "kallsyms_token_index",
          "kallsyms_offsets",
          "kallsyms_relative_base");

  private final Path path;
  private final String buildId;
  private final Map<String, Long> symbols;
  private final long slide;

  private KernelFile(Path path, String buildId, Map<String, Long> symbols, long slide) {
    this.path = path;
    this.buildId = buildId;
    this.symbols = symbols;
    this.slide = slide;
  }

  /**
   * The kernel's file among {@code files}; empty when none is a kernel's. Its build-id is compared
   * with memory.
   *
   * @param image the virtual address that the kernel's image is mapped from
   * @throws TargetException for the file of another build
   */
  static Optional<KernelFile> placed(List<Path> files, Memory virtual, long image) {
    for (var path : files) {
      var found = placed(path, virtual, image);
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private static Optional<KernelFile> placed(Path path, Memory virtual, long image) {
    if (!Files.isRegularFile(path)) {
      return Optional.empty(); // The search for debug files tells of it.
    }
    try (var mapped = MappedFile.open(path)) {
      if (!ElfFile.matches(mapped)) {
        return Optional.empty();
      }
      var elf = ElfFile.read(mapped);
      var id = elf.buildId();
      var table = elf.symtab();
      if (id.isEmpty() || table.isEmpty()) {
        return Optional.empty();
      }
      var symbols = symbols(table.get());
      var text = symbols.get("_text");
      if (text == null || elf.header().machine() != Elf.EM_X86_64) {
        return Optional.empty();
      }
      long slide = image - (text & -STEP);
      if (!isThere(virtual, elf, id.get(), slide)) {
        throw new TargetException(
            path + ": is of another build: has build-id " + id.get() + ", the kernel has not");
      }
      return Optional.of(new KernelFile(path, id.get().hex(), symbols, slide));
    }
  }

  /**
   * Whether the file's build-id stands in memory where its notes are. The other notes may be
   * relocated at boot (those of Xen's entry, before the mend of CVE-2024-26816).
   */
  private static boolean isThere(Memory virtual, ElfFile elf, BuildId buildId, long slide) {
    for (var section : elf.sections().all()) {
      if (section.type() == Elf.SHT_NOTE && section.isLoaded() && section.size() > 0) {
        var there = new byte[(int) Math.min(section.size(), NOTES_LIMIT)];
        int got = virtual.read(section.addr() + slide, MemorySegment.ofArray(there));
        var notes = ByteSource.of("notes in memory", Arrays.copyOf(there, got));
        for (var note :
            ElfNotes.read(notes, 0, got, section.align(), elf.header().order()).notes()) {
          if (note.is("GNU", Elf.NT_GNU_BUILD_ID)
              && BuildId.of(note.descriptor()).filter(buildId::equals).isPresent()) {
            return true;
          }
        }
      }
    }
    return false;
  }

  private static Map<String, Long> symbols(ElfSymtab table) {
    var wanted = new HashMap<Integer, byte[]>();
    Stream.concat(NAMES.stream(), TABLES.stream())
        .map(name -> name.getBytes(StandardCharsets.US_ASCII))
        .forEach(name -> wanted.put(ElfSymtab.hash(name), name));
    var found = new HashMap<String, Long>();
    for (int i = 0; i < table.count(); i++) {
      if (table.isNamed(i)) {
        var name = wanted.get(table.nameHash(i));
        if (name != null && table.isDefined(i) && table.nameEquals(i, name)) {
          found.put(new String(name, StandardCharsets.US_ASCII), table.value(i));
        }
      }
    }
    return found;
  }

  /** What is in the file of a range of addresses, as the file numbers them. */
  private static Optional<ByteSource> bytes(ElfFile elf, long address, long length) {
    for (var section : elf.sections().all()) {
      if (section.isLoaded() && section.contains(address)) {
        long offset = address - section.addr();
        return elf.sections()
            .raw(section)
            .filter(bytes -> length <= bytes.size() - offset)
            .map(bytes -> bytes.part(offset, length));
      }
    }
    return Optional.empty();
  }

  /** In hexadecimal. */
  public String buildId() {
    return buildId;
  }

  /** The virtual address that one of the kernel's symbols has in memory. */
  public OptionalLong symbol(String name) {
    var address = symbols.get(name);
    return address == null ? OptionalLong.empty() : OptionalLong.of(address + slide);
  }

  /**
   * A copy of what the file has of a range of memory; empty when it has not all of it.
   *
   * @param what names the bytes in messages
   * @param address virtual, in memory
   */
  public Optional<ByteSource> bytes(String what, long address, int length) {
    try (var mapped = MappedFile.open(path)) {
      var elf = ElfFile.read(mapped);
      return elf.buildId().filter(id -> id.hex().equals(buildId)).isEmpty()
          ? Optional.empty() // It was built anew since.
          : bytes(elf, address - slide, length)
              .map(bytes -> ByteSource.of(what + " of " + path, bytes.bytes(0, length)));
    } catch (FathomException _) {
      return Optional.empty(); // It was readable before; memory has the same.
    }
  }
}
