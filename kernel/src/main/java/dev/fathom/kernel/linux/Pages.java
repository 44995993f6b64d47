// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FathomException;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.model.Memory;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.TypeName;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** {@code struct page} (include/linux/mm_types.h): what a page of memory is used for. */
final class Pages {
  /** PAGE_TYPE_BASE: since 4.18 a page type's bit is clear when the page has that type. */
  private static final long TYPE_BASE = 0xf000_0000L;

  private static final int NAME_LIMIT = 64;

  private final LinuxProgram program;
  private final Memory memory;
  private final Layouts layouts;
  private final Regions regions;

  Pages(LinuxProgram program, Layouts layouts, Regions regions) {
    this.program = program;
    this.memory = program.memory();
    this.layouts = layouts;
    this.regions = regions;
  }

  /** The address of the {@code struct page} of a physical address, with SPARSEMEM_VMEMMAP. */
  long page(long physical) {
    return regions.vmemmap().start()
        + ((physical - regions.physicalBase()) >>> regions.pageShift()) * regions.pageStruct();
  }

  /** The physical address that the {@code struct page} at or around an address stands for. */
  OptionalLong physical(long page) {
    return regions.vmemmap().contains(page)
        ? OptionalLong.of(
            (((page - regions.vmemmap().start()) / regions.pageStruct()) << regions.pageShift())
                + regions.physicalBase())
        : OptionalLong.empty();
  }

  /** The head of the compound page that a page belongs to, or the page itself. */
  long head(long page) {
    return head(page, layouts.need("page", "compound_info", "compound_head").at(memory, page));
  }

  /**
   * The head of the compound page that the page at {@code page} belongs to, given its link: {@code
   * compound_head}, a pointer whose lowest bit says that the page is a tail; since 7.1 {@code
   * compound_info}, which where hugetlb's struct pages may be shared is a mask for the tail's own
   * address instead.
   */
  static long head(long page, long link) {
    if ((link & 1) == 0) {
      return page;
    }
    boolean mask = Long.bitCount(-(link - 1)) == 1;
    return mask ? page & (link - 1) : link - 1;
  }

  /** The names of the flags that are set: {@code uptodate|lru}. */
  List<String> flags(long page) {
    // Since 6.18 a memdesc_flags_t with one member.
    long bits = layouts.need("page", "flags.f", "flags").at(memory, page);
    var names = new ArrayList<String>();
    if (program.types().find(new TypeName(TypeName.Kind.ENUM, "pageflags")).orElse(null)
        instanceof EnumType flags) {
      for (var flag : flags.enumerators()) {
        long bit = flag.value();
        if (flag.name().equals("__NR_PAGEFLAGS")) {
          break; // what follows are other names for the bits before
        }
        if (bit >= 0 && bit < 64 && (bits >>> bit & 1) != 0 && flag.name().startsWith("PG_")) {
          names.add(flag.name().substring(3));
        }
      }
    }
    return names;
  }

  /**
   * Whether the page belongs to the slab allocator: flag {@code PG_slab} until 6.9; a page type
   * with a clear bit in 6.10 and 6.11; a page type in the top byte since 6.12.
   */
  boolean isSlab(long head) {
    var types = program.types();
    var number = types.enumerator("pagetype", "PGTY_slab");
    var bit = types.enumerator("pagetype", "PG_slab");
    var flag = types.enumerator("pageflags", "PG_slab");
    if (number.isPresent()) {
      return pageType(head) >>> 24 == number.getAsLong();
    }
    if (bit.isPresent()) {
      return (pageType(head) & (TYPE_BASE | bit.getAsLong())) == TYPE_BASE;
    }
    return flag.isPresent()
        && (layouts.need("page", "flags.f", "flags").at(memory, head) >>> flag.getAsLong() & 1)
            != 0;
  }

  private long pageType(long page) {
    return layouts.need("page", "page_type").at(memory, page) & 0xffff_ffffL;
  }

  /** The {@code kmem_cache} of a slab page: {@code struct slab} since 5.17, before in the page. */
  OptionalLong cache(long head) {
    var member = layouts.find("slab", "slab_cache").or(() -> layouts.find("page", "slab_cache"));
    if (member.isEmpty()) {
      return OptionalLong.empty();
    }
    long cache = member.get().at(memory, head);
    return cache == 0 ? OptionalLong.empty() : OptionalLong.of(cache);
  }

  String cacheName(long cache) {
    return memory.cString(layouts.need("kmem_cache", "name").at(memory, cache), NAME_LIMIT);
  }

  /** What a direct-map address is, in the slab allocator's words. */
  Optional<String> slabObject(long address, long physical) {
    try {
      long head = head(page(physical));
      if (!isSlab(head)) {
        return Optional.empty();
      }
      var cache = cache(head);
      var start = physical(head);
      if (cache.isEmpty() || start.isEmpty()) {
        return Optional.empty();
      }
      long size = layouts.need("kmem_cache", "size").at(memory, cache.getAsLong());
      // A red zone before each object, with slub_debug only.
      var padding = layouts.find("kmem_cache", "red_left_pad");
      long pad = padding.isPresent() ? padding.get().at(memory, cache.getAsLong()) : 0;
      if (size <= 0) {
        return Optional.empty();
      }
      long base = address - (physical - start.getAsLong());
      long index = (address - base) / size;
      long object = base + index * size + pad;
      var name = cacheName(cache.getAsLong());
      return Optional.of(
          Long.toHexString(object)
              + (address == object
                  ? ""
                  : (address > object ? "+0x" : "-0x")
                      + Long.toHexString(Math.abs(address - object)))
              + ", object "
              + index
              + " of the slab at "
              + Long.toHexString(base)
              + ", from cache "
              + name);
    } catch (FathomException e) {
      return Optional.empty(); // No struct page for it in the dump: not known to be a slab's.
    }
  }
}
