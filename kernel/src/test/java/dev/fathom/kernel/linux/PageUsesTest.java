// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.EvalException;
import dev.fathom.kernel.PageClasses;
import dev.fathom.kernel.PageClasses.Use;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every layout of what {@code struct page} tells of a page, over pages written byte by byte. */
class PageUsesTest {
  private static final long VMEMMAP = 0xffff_ea00_0000_0000L;
  private static final long VMEMMAP_PHYSICAL = 0x34_0000;
  private static final int SIZE = 64;
  private static final int PAGES = 4096;

  /** Pages that the kernel of the test uses for nothing else. */
  private static final int FIRST = 3584;

  private static final int COUNT = 512;
  private static final int TEXT = 0x400;
  private static final int TEXT_END = 0x480;

  private static final int LINK = 8;
  private static final int MAPPING = 24;
  private static final int PRIVATE = 40;
  private static final int TYPE = 48;

  /** How types of pages and hugetlb are told. */
  private enum Layout {
    /** 4.18 to 6.2: {@code page.compound_dtor}. */
    DESTRUCTOR(0xffff_ff7f, 0xffff_feff, 0xffff_fdff),
    /** 6.3 to 6.5: {@code folio._folio_dtor}. */
    FOLIO_DESTRUCTOR(0xffff_ff7f, 0xffff_feff, 0xffff_fdff),
    /** 6.6 to 6.8: {@code PG_hugetlb} in the first tail's flags. */
    TAIL_FLAG(0xffff_ff7f, 0xffff_feff, 0xffff_fdff),
    /** 6.9: a type that VMCOREINFO states; slab is a flag. */
    NOTED_TYPE(0xffff_ff7f, 0xffff_feff, 0xffff_fdff),
    /** 6.10: slab is a type as well. */
    NOTED_SLAB(0xffff_ff7f, 0xffff_feff, 0xffff_fdff),
    /** 6.11: {@code enum pagetype} of bits. */
    BITS(0xbfff_ffff, 0xdfff_ffff, 0xefff_ffff),
    /** Since 6.12: {@code enum pagetype} of numbers in the top byte. */
    NUMBERS(0xf0ff_ffff, 0xf1ff_ffff, 0xf2ff_ffff);

    final int buddy;
    final int offline;
    final int table;

    Layout(int buddy, int offline, int table) {
      this.buddy = buddy;
      this.offline = offline;
      this.table = table;
    }

    boolean slabIsType() {
      return compareTo(NOTED_SLAB) >= 0;
    }
  }

  private final Map<String, Long> flags = new LinkedHashMap<>();
  private SyntheticKernel kernel;
  private Layout layout;

  private PageClasses classes(Layout chosen) {
    layout = chosen;
    String[] names = {
      "PG_reserved", "PG_head", "PG_lru", "PG_private", "PG_swapcache", "PG_swapbacked"
    };
    for (String name : names) {
      flags.put(name, (long) flags.size() + 2);
    }
    kernel = new SyntheticKernel(SyntheticKernel.Era.NEW, 4, this::addPages);
    for (int page = 0; page < PAGES; page++) {
      put4(page, TYPE, -1);
    }
    for (int page = TEXT; page < TEXT_END; page++) {
      flag(page, "PG_reserved");
    }
    write();
    return kernel.open().pageClasses().orElseThrow();
  }

  private void addPages(SyntheticKernel to) {
    for (int at = 0; at < PAGES * SIZE; at += 4096) {
      to.tables.map(VMEMMAP + at, VMEMMAP_PHYSICAL + at, 4096, 0x163);
    }
    var members =
        "flags long unsigned int 0, compound_head long unsigned int 8, mapping * 24,"
            + " private long unsigned int 40, _mapcount atomic_t 48";
    if (layout == Layout.DESTRUCTOR) {
      members += ", compound_dtor unsigned char 16";
    }
    if (layout.slabIsType()) {
      members += ", page_type unsigned int 48";
    }
    to.types
        .struct("page 64: " + members)
        .struct("free_area 88: nr_free long unsigned int 80")
        .struct("zone 1000: free_area free_area[11] 0");
    if (!layout.slabIsType()) {
      flags.put("PG_slab", 20L);
    }
    switch (layout) {
      case DESTRUCTOR -> destructors(to);
      case FOLIO_DESTRUCTOR -> {
        to.types.struct("folio 128: _folio_dtor unsigned char 80");
        destructors(to);
      }
      case TAIL_FLAG -> flags.put("PG_hugetlb", 8L);
      case NOTED_TYPE, NOTED_SLAB -> {
        to.noted.put("PAGE_BUDDY_MAPCOUNT_VALUE", ~0x80L);
        to.noted.put("PAGE_OFFLINE_MAPCOUNT_VALUE", ~0x100L);
        to.noted.put("PAGE_HUGETLB_MAPCOUNT_VALUE", ~0x800L);
      }
      case BITS -> {
        var types = new LinkedHashMap<String, Long>();
        types.put("PG_buddy", 0x4000_0000L);
        types.put("PG_offline", 0x2000_0000L);
        types.put("PG_table", 0x1000_0000L);
        types.put("PG_guard", 0x800_0000L);
        types.put("PG_hugetlb", 0x400_0000L);
        types.put("PG_slab", 0x200_0000L);
        types.put("PAGE_TYPE_BASE", 0x8000_0000L);
        types.put("PAGE_MAPCOUNT_RESERVE", ~0xffffL);
        to.types.enumeration("pagetype", types);
      }
      case NUMBERS -> {
        var types = new LinkedHashMap<String, Long>();
        String[] names = {"buddy", "offline", "table", "guard", "hugetlb", "slab"};
        for (String name : names) {
          types.put("PGTY_" + name, 0xf0L + types.size());
        }
        types.put("PGTY_unaccepted", 0xf7L);
        to.types.enumeration("pagetype", types);
      }
    }
    to.types.enumeration("pageflags", flags);
  }

  private static void destructors(SyntheticKernel to) {
    var values =
        Map.of("NULL_COMPOUND_DTOR", 0L, "COMPOUND_PAGE_DTOR", 1L, "HUGETLB_PAGE_DTOR", 2L);
    to.types.enumeration("compound_dtor_id", values);
  }

  private ByteBuffer at(int page, int offset) {
    int at = (int) VMEMMAP_PHYSICAL + page * SIZE + offset;
    return ByteBuffer.wrap(kernel.ram.bytes()).order(ByteOrder.LITTLE_ENDIAN).position(at);
  }

  private void put8(int page, int offset, long value) {
    at(page, offset).putLong(value);
  }

  private void put4(int page, int offset, int value) {
    at(page, offset).putInt(value);
  }

  private void flag(int page, String... names) {
    var at = at(page, 0);
    long bits = at.getLong(at.position());
    for (String name : names) {
      bits |= 1L << flags.get(name);
    }
    at.putLong(bits);
  }

  /** Makes pages a compound one. */
  private void compound(int head, int count) {
    flag(head, "PG_head");
    for (int page = head + 1; page < head + count; page++) {
      put8(page, LINK, VMEMMAP + (long) head * SIZE + 1);
    }
  }

  private void free(int page, int order) {
    put4(page, TYPE, layout.buddy);
    put8(page, PRIVATE, order);
  }

  private void hugetlb(int head) {
    switch (layout) {
      case DESTRUCTOR, FOLIO_DESTRUCTOR -> at(head + 1, 16).put((byte) 2);
      case TAIL_FLAG -> flag(head + 1, "PG_hugetlb");
      case NOTED_TYPE, NOTED_SLAB -> put4(head, TYPE, ~0x800);
      case BITS -> put4(head, TYPE, 0xfbff_ffff);
      case NUMBERS -> put4(head, TYPE, 0xf4ff_ffff);
    }
  }

  private void slab(int page) {
    if (!layout.slabIsType()) {
      flag(page, "PG_slab");
      return;
    }
    put4(
        page,
        TYPE,
        switch (layout) {
          case BITS -> 0xfdff_ffff;
          case NUMBERS -> 0xf5ff_ffff;
          default -> ~0x1000;
        });
  }

  private static final long FILE = 0xffff_8880_0012_3450L;
  private static final long ANONYMOUS = FILE + 1;

  private void write() {
    put8(FIRST, MAPPING, ANONYMOUS);
    flag(FIRST, "PG_lru", "PG_swapbacked");
    put8(FIRST + 1, MAPPING, FILE);
    flag(FIRST + 1, "PG_lru");
    flag(FIRST + 2, "PG_lru", "PG_private");
    flag(FIRST + 3, "PG_swapcache", "PG_swapbacked");
    // None of these is a user's, whatever is in the words that others use.
    slab(FIRST + 4);
    put8(FIRST + 4, MAPPING, ANONYMOUS);
    put4(FIRST + 5, TYPE, layout.table);
    put8(FIRST + 5, MAPPING, ANONYMOUS);
    flag(FIRST + 6, "PG_reserved");
    put8(FIRST + 6, MAPPING, ANONYMOUS);
    put4(FIRST + 7, TYPE, layout.offline);
    free(FIRST + 8, 3);
    free(FIRST + 16, 5); // Not where a block of that order can be.
    compound(FIRST + 32, 32);
    put8(FIRST + 32, MAPPING, ANONYMOUS);
    compound(FIRST + 64, 64);
    flag(FIRST + 64, "PG_lru");
    compound(FIRST + 128, 128);
    hugetlb(FIRST + 128);
    compound(FIRST + 256, 16);
    put8(FIRST + 272, LINK, VMEMMAP + (FIRST + 300L) * SIZE + 1); // Behind itself.
    put8(FIRST + 300, MAPPING, ANONYMOUS);
    put8(FIRST + 273, 0, -1); // Never initialised.
    put8(FIRST + 273, MAPPING, -1);
    compound(FIRST + 288, 8);
    slab(FIRST + 288);
  }

  private static Use[] expected() {
    var uses = new Use[COUNT];
    Arrays.fill(uses, Use.KERNEL);
    uses[0] = Use.USER;
    uses[1] = Use.CACHE;
    uses[2] = Use.PRIVATE_CACHE;
    uses[3] = Use.CACHE;
    uses[7] = Use.FREE;
    Arrays.fill(uses, 8, 16, Use.FREE);
    Arrays.fill(uses, 32, 64, Use.USER);
    Arrays.fill(uses, 64, 128, Use.CACHE);
    Arrays.fill(uses, 128, 256, Use.USER);
    uses[300] = Use.USER;
    return uses;
  }

  private static Use[] read(PageClasses classes, int first, int count) {
    var into = new byte[count];
    classes.read(first, into);
    var uses = new Use[count];
    for (int i = 0; i < count; i++) {
      uses[i] = Use.values()[into[i]];
    }
    return uses;
  }

  @ParameterizedTest
  @EnumSource(Layout.class)
  void everyLayoutTellsTheSame(Layout each) {
    var classes = classes(each);
    assertThat(classes.known()).containsExactlyInAnyOrder(Use.values());
    assertThat(read(classes, FIRST, COUNT)).isEqualTo(expected());
    assertThat(classes.remarks()).isEmpty();
  }

  /** From the middle of a free block, of large folios and of hugetlb. */
  @ParameterizedTest
  @EnumSource(Layout.class)
  void wherePagesAreReadFromDoesNotMatter(Layout each) {
    var classes = classes(each);
    for (int from : new int[] {11, 40, 65, 127, 129, 200, 255, 290}) {
      assertThat(read(classes, FIRST + from, COUNT - from))
          .isEqualTo(Arrays.copyOfRange(expected(), from, COUNT));
    }
  }

  @Test
  void unacceptedMemoryIsFree() {
    var classes = classes(Layout.NUMBERS);
    put4(2048, TYPE, 0xf7ff_ffff);
    put4(FIRST + 310, TYPE, 0xf7ff_ffff);
    assertThat(read(classes, 2048, 1025)).startsWith(Use.FREE).endsWith(Use.FREE, Use.KERNEL);
    assertThat(read(classes, FIRST + 310, 1)).containsExactly(Use.KERNEL);
  }

  @Test
  void aWrongStructPageIsNotBelieved() {
    classes(Layout.BITS);
    put8(TEXT, 0, 0);
    assertThatThrownBy(() -> kernel.open().pageClasses())
        .isInstanceOf(EvalException.class)
        .hasMessageContaining("is not reserved");
  }
}
