// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.objects;

import dev.fathom.base.EvalException;
import dev.fathom.format.elf.Elf;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.format.elf.ProgramHeader;
import dev.fathom.model.Memory;
import dev.fathom.model.Registers;
import dev.fathom.model.Symbol;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.arch.aarch64.Aarch64;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Where a thread keeps those variables of an object that each thread has for itself (Drepper, ELF
 * Handling For Thread-Local Storage). The program's lie at a fixed distance from the thread
 * pointer: below it on x86-64 (variant II), above it and two words on 64-bit Arm (variant I). Of
 * other objects the C library knows:
 *
 * <pre>
 * r_debug   at 8: the first link_map                    (DT_DEBUG of the program)
 * link_map  l_addr, l_name, l_ld, l_next; further on, in glibc, l_tls_modid and l_tls_offset, at
 *           the offsets that glibc's _thread_db_link_map_* tell debuggers: u32 bits, count, offset
 * dtv       glibc: { u64 address, to_free }[], of which number 0 has the generation and the one
 *           before it the length; number m belongs to module m. musl: { u64 address }[]
 * </pre>
 *
 * Memory is read anew at each question: the program may change it.
 */
public final class ThreadStorage {
  private static final long DT_DEBUG = 21;
  private static final int DYN_BYTES = 16;
  private static final int MOST_ENTRIES = 1000;
  private static final int MOST_OBJECTS = 10_000;

  private static final int WORD = 8;
  private static final int R_MAP = 8;
  private static final int L_LD = 16;
  private static final int L_NEXT = 24;

  /** The words behind the thread pointer that are not the program's, on 64-bit Arm. */
  private static final long ARM_RESERVED = 2 * WORD;

  /** The largest module number that is believed. */
  private static final long MOST_MODULES = 1 << 16;

  /** The furthest that a program's storage is from the thread pointer. */
  private static final long MOST_BYTES = 1L << 32;

  private final LoadedObjects objects;
  private final Memory memory;
  private final Architecture architecture;

  public ThreadStorage(LoadedObjects objects, Memory memory, Architecture architecture) {
    this.objects = objects;
    this.memory = memory;
    this.architecture = architecture;
  }

  /** What a symbol table knows of a variable that each thread has for itself. */
  public record Found(LoadedObject object, long offset) {}

  /** The first variable of that name that the symbols of an object have. */
  public Optional<Found> named(String name) {
    int tick = name.indexOf('`');
    for (var object : objects.all()) {
      if (tick < 0 || object.name().equals(name.substring(0, tick))) {
        var offset =
            object
                .symbols()
                .map(symbols -> symbols.threadLocal(name.substring(tick + 1)))
                .orElse(OptionalLong.empty());
        if (offset.isPresent()) {
          return Optional.of(new Found(object, offset.getAsLong()));
        }
      }
    }
    return Optional.empty();
  }

  /**
   * The address of a variable in a thread.
   *
   * @param inObject an address in the object that has it
   * @param offset where it is in the object's thread-local storage
   * @param thread registers of the thread
   * @throws EvalException when it has none, or it cannot be told
   */
  public long address(long inObject, long offset, Registers thread) {
    var object =
        objects
            .containing(inObject)
            .orElseThrow(
                () ->
                    new EvalException(
                        "no object is loaded at 0x" + Long.toHexString(inObject) + " any more"));
    var pointer = thread.file().threadPointer();
    var known = pointer.isPresent() ? thread.get(pointer.get()) : OptionalLong.empty();
    if (known.isEmpty()) {
      throw none(
          object,
          pointer.map(register -> "the thread's $" + register.name()).orElse("that")
              + " is not known here");
    }
    if (known.getAsLong() == 0) {
      throw none(object, "the thread has not set it up yet");
    }
    var segment = object.file().flatMap(file -> segment(file, Elf.PT_TLS));
    if (segment.isEmpty()) {
      throw none(object, "its file does not say that it has any");
    }
    long place = place(object, segment.get(), offset);
    return place
        + (object.module().isEmpty()
            ? ofProgram(object, segment.get(), known.getAsLong())
            : ofLibrary(object, known.getAsLong()));
  }

  /** The offset within the segment. With split DWARF gcc writes the address by the link instead. */
  private static long place(LoadedObject object, ProgramHeader segment, long offset) {
    if (Long.compareUnsigned(offset, segment.memsz()) < 0) {
      return offset;
    }
    if (Long.compareUnsigned(offset - segment.vaddr(), segment.memsz()) < 0) {
      return offset - segment.vaddr();
    }
    throw none(
        object,
        "they take 0x"
            + Long.toHexString(segment.memsz())
            + " bytes, and this one would be at 0x"
            + Long.toHexString(offset));
  }

  private static EvalException none(LoadedObject object, String why) {
    return new EvalException(
        "cannot find the thread-local variables of " + object.name() + ": " + why);
  }

  private static Optional<ProgramHeader> segment(ElfFile file, int type) {
    return file.programHeaders().stream().filter(segment -> segment.type() == type).findFirst();
  }

  private long ofProgram(LoadedObject program, ProgramHeader segment, long pointer) {
    long align = Math.max(1, segment.align());
    if (Long.bitCount(align) != 1
        || Long.compareUnsigned(align, MOST_BYTES) > 0
        || Long.compareUnsigned(segment.memsz(), MOST_BYTES) > 0) {
      throw none(program, "its file says that they take 0x" + Long.toHexString(segment.memsz()));
    }
    long mask = align - 1;
    if (architecture instanceof Aarch64) {
      return pointer + ARM_RESERVED + (segment.vaddr() - ARM_RESERVED & mask);
    }
    return pointer - segment.memsz() - (-segment.memsz() - segment.vaddr() & mask);
  }

  private long ofLibrary(LoadedObject object, long pointer) {
    var maps = linkMaps();
    var own = maps.stream().filter(map -> object.contains(memory.u64(map + L_LD))).findFirst();
    if (own.isEmpty()) {
      throw none(object, "the dynamic linker does not list it");
    }
    var module = descriptor("link_map_l_tls_modid");
    var offset = descriptor("link_map_l_tls_offset");
    if (module.isPresent() && offset.isPresent()) {
      long fixed = memory.u64(own.get() + offset.getAsLong());
      // 0, -1 and -2 say that it has no fixed place, or not yet.
      if (fixed > 0 && fixed < MOST_BYTES) {
        return architecture instanceof Aarch64 ? pointer + fixed : pointer - fixed;
      }
      return fromGlibc(object, memory.u64(own.get() + module.getAsLong()), pointer);
    }
    boolean musl = objects.all().stream().anyMatch(one -> one.name().startsWith("ld-musl-"));
    if (musl) {
      return fromMusl(object, maps, own.get(), pointer);
    }
    throw none(object, "the C library does not tell where they are");
  }

  /** The link maps of all objects, in the order in which they were loaded. */
  private List<Long> linkMaps() {
    var found = new ArrayList<Long>();
    var debug = debug();
    long map = debug.isPresent() ? memory.u64(debug.getAsLong() + R_MAP) : 0;
    while (map != 0 && found.size() < MOST_OBJECTS) {
      found.add(map);
      map = memory.u64(map + L_NEXT);
    }
    return found;
  }

  /** The dynamic linker's {@code r_debug}, which the program's DT_DEBUG points to. */
  private OptionalLong debug() {
    for (var object : objects.all()) {
      var dynamic = object.file().flatMap(file -> segment(file, Elf.PT_DYNAMIC));
      if (object.module().isEmpty() && dynamic.isPresent() && object.bias().isPresent()) {
        long at = object.bias().getAsLong() + dynamic.get().vaddr();
        for (int i = 0; i < MOST_ENTRIES && memory.u64(at) != Elf.DT_NULL; i++, at += DYN_BYTES) {
          if (memory.u64(at) == DT_DEBUG) {
            return OptionalLong.of(memory.u64(at + WORD));
          }
        }
      }
    }
    return OptionalLong.empty();
  }

  /** The offset that glibc's description of a member has. */
  private OptionalLong descriptor(String member) {
    var symbol = first("_thread_db_" + member);
    return symbol.isPresent()
        ? OptionalLong.of(memory.u32(symbol.get().address() + 2 * Integer.BYTES))
        : OptionalLong.empty();
  }

  private Optional<Symbol> first(String name) {
    return objects.first(name).filter(symbol -> symbol.name().equals(name));
  }

  private long fromGlibc(LoadedObject object, long module, long pointer) {
    if (module <= 0 || module > MOST_MODULES) {
      throw none(object, "the dynamic linker has given it no number");
    }
    long dtv = memory.u64(architecture instanceof Aarch64 ? pointer : pointer + WORD);
    long length = memory.u64(dtv - 2 * WORD);
    long generation = memory.u64(dtv);
    boolean current = module <= length && generation >= generationOf(module);
    long base = current ? memory.u64(dtv + module * 2 * WORD) : 0;
    if (base == 0 || base == -1) {
      throw none(object, "the thread has used none of them yet");
    }
    return base;
  }

  /**
   * The generation in which a module got its number: a thread that has not seen it has what was
   * there before. From {@code rtld_global._dl_tls_dtv_slotinfo_list}: {@code { u64 len; next; { u64
   * gen; map }[len] }}.
   */
  private long generationOf(long module) {
    var global = first("__nptl_rtld_global");
    var member = descriptor("rtld_global__dl_tls_dtv_slotinfo_list");
    if (global.isEmpty() || member.isEmpty()) {
      return 0;
    }
    long list = memory.u64(memory.u64(global.get().address()) + member.getAsLong());
    long number = module;
    for (int i = 0; i < MOST_MODULES && list != 0; i++) {
      long length = memory.u64(list);
      if (Long.compareUnsigned(number, length) < 0) {
        return memory.u64(list + 2 * WORD + number * 2 * WORD);
      }
      number -= length;
      list = memory.u64(list + WORD);
    }
    return 0;
  }

  /** musl numbers modules in the order in which they were loaded, and makes their storage early. */
  private long fromMusl(LoadedObject object, List<Long> maps, long own, long pointer) {
    long module = 0;
    for (long map : maps) {
      boolean has =
          objects
              .containing(memory.u64(map + L_LD))
              .flatMap(LoadedObject::file)
              .flatMap(file -> segment(file, Elf.PT_TLS))
              .isPresent();
      module += has ? 1 : 0;
      if (map == own) {
        break;
      }
    }
    long dtv = memory.u64(architecture instanceof Aarch64 ? pointer - WORD : pointer + WORD);
    long base = module <= memory.u64(dtv) ? memory.u64(dtv + module * WORD) : 0;
    if (base == 0) {
      throw none(object, "the thread has used none of them yet");
    }
    return base;
  }
}
