// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.EvalException;
import dev.fathom.base.Readability;
import dev.fathom.format.vmcoreinfo.Vmcoreinfo;
import dev.fathom.kernel.PageClasses;
import dev.fathom.kernel.Task;
import dev.fathom.kernel.linux.data.Block;
import dev.fathom.kernel.linux.data.Field;
import dev.fathom.kernel.linux.data.Layouts;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What pages are used for, by their {@code struct page} (include/linux/mm_types.h and
 * include/linux/page-flags.h). In the words of makedumpfile, whose levels these are:
 *
 * <ul>
 *   <li>free: of type buddy, with {@code 1 << private} pages behind it; offline (balloons); not yet
 *       accepted
 *   <li>user: {@code mapping} has its lowest bit (PAGE_MAPPING_ANON), and no slab page; hugetlb
 *   <li>cache: flag {@code lru}, or {@code swapbacked} and {@code swapcache}, and not user; with
 *       flag {@code private} it is private cache
 * </ul>
 *
 * A compound page's tails are what its head is. Types of pages, which share a word with {@code
 * _mapcount}:
 *
 * <ul>
 *   <li>since 6.12 a number in the top byte: {@code PGTY_buddy}, ... of {@code enum pagetype}
 *   <li>in 6.11 a clear bit below set ones: {@code PG_buddy}, ... and {@code PAGE_TYPE_BASE} of
 *       that enum
 *   <li>4.18 to 6.10 the same as macros, which VMCOREINFO states ({@code
 *       PAGE_BUDDY_MAPCOUNT_VALUE}, ...); buddy and offline never changed
 * </ul>
 *
 * Hugetlb: the type since 6.9; {@code PG_hugetlb} in the first tail's flags from 6.6 to 6.8;
 * before, the first tail's {@code compound_dtor} ({@code folio._folio_dtor} from 6.3). Slab: see
 * {@link Pages#isSlab}; where it is no flag it is a type, and pages of any other type are the
 * kernel's.
 *
 * <p>What cannot be told is the kernel's: pages that are reserved, whose {@code struct page} is not
 * in the dump or was never initialised, and all of a use that a member of is missing for.
 */
final class PageUses implements PageClasses {
  /** MAX_ORDER can be configured up to 17 on x86 or less; blocks are aligned to their size. */
  private static final int MAX_BLOCK_ORDER = 18;

  private static final int CHUNK_PAGES = 512;
  private static final int UNTYPED = -1;
  private static final byte KERNEL = (byte) Use.KERNEL.ordinal();
  private static final int CHECKED_TASKS = 256;
  private static final int CHECKED_TEXT = 64;

  private final LinuxProgram program;
  private final Layouts layouts;
  private final Optional<Vmcoreinfo> info;
  private final Pages pages;
  private final long vmemmap;
  private final int shift;

  /** The number of the page whose {@code struct page} is the first. */
  private final long base;

  private final int size;
  private final Set<Use> known = EnumSet.of(Use.KERNEL);
  private final List<String> remarks = new ArrayList<>();

  private final Field flags;
  private final Field mapping;
  private final Field compound;
  private final Field type;
  private final Optional<Field> privateWord;
  private final Optional<Type> buddy;
  private final Optional<Type> offline;
  private final Optional<Type> unaccepted;
  private final Optional<Type> hugetlb;
  private final long slabFlag;
  private final long reservedFlag;
  private final long headFlag;
  private final long lruFlag;
  private final long swapCacheFlags;
  private final long privateFlag;
  private final long tailHugetlbFlag;
  private final Optional<Field> tailDestructor;
  private final long hugetlbDestructor;
  private final int freeOrders;
  private long unreadable;
  private long recentHead = -1;
  private byte recentUse;

  /** How a type shows in the word: {@code (word & mask) == value}. */
  private record Type(int mask, int value) {
    boolean is(int word) {
      return (word & mask) == value;
    }
  }

  private PageUses(
      LinuxProgram program, Layouts layouts, Regions regions, Optional<Vmcoreinfo> info) {
    this.program = program;
    this.layouts = layouts;
    this.info = info;
    this.pages = new Pages(program, layouts, regions);
    this.vmemmap = regions.vmemmap().start();
    this.shift = regions.pageShift();
    this.base = regions.physicalBase() >>> shift;
    this.size = regions.pageStruct();
    flags = layouts.need("page", "flags.f", "flags");
    mapping = layouts.need("page", "mapping");
    compound = layouts.need("page", "compound_info", "compound_head");
    type = layouts.need("page", "page_type", "_mapcount.counter");
    privateWord = layouts.find("page", "private");
    buddy = type("buddy", "PAGE_BUDDY_MAPCOUNT_VALUE", OptionalLong.of(0xffff_ff7fL));
    offline = type("offline", "PAGE_OFFLINE_MAPCOUNT_VALUE", OptionalLong.of(0xffff_feffL));
    unaccepted = type("unaccepted", "PAGE_UNACCEPTED_MAPCOUNT_VALUE", OptionalLong.empty());
    hugetlb = type("hugetlb", "PAGE_HUGETLB_MAPCOUNT_VALUE", OptionalLong.empty());
    slabFlag = flag("PG_slab");
    reservedFlag = flag("PG_reserved");
    headFlag = flag("PG_head");
    lruFlag = flag("PG_lru");
    privateFlag = flag("PG_private");
    long swapCache = flag("PG_swapcache");
    long swapBacked = flag("PG_swapbacked");
    swapCacheFlags = swapCache != 0 && swapBacked != 0 ? swapCache | swapBacked : 0;
    tailHugetlbFlag = hugetlb.isPresent() ? 0 : flag("PG_hugetlb");
    tailDestructor = destructor();
    hugetlbDestructor =
        program.types().enumerator("compound_dtor_id", "HUGETLB_PAGE_DTOR").orElse(-1);
    freeOrders = freeOrders();
    decide();
  }

  /**
   * @throws dev.fathom.base.FathomException when {@code struct page} is not known or what is read
   *     of it does not make sense
   */
  static PageUses of(
      LinuxProgram program,
      Layouts layouts,
      Regions regions,
      Optional<Vmcoreinfo> info,
      Iterator<Task> tasks) {
    var uses = new PageUses(program, layouts, regions, info);
    uses.prove(tasks);
    return uses;
  }

  @Override
  public Set<Use> known() {
    return Set.copyOf(known);
  }

  @Override
  public List<String> remarks() {
    var all = new ArrayList<>(remarks);
    if (unreadable > 0) {
      all.add(
          "the struct page of "
              + unreadable
              + " pages cannot be read: they count as the kernel's own");
    }
    return List.copyOf(all);
  }

  @Override
  public void read(long first, byte[] into) {
    long start = first & -(1L << Math.max(freeOrders - 1, 0));
    long end = first + into.length;
    long freeEnd = start;
    for (long chunk = start; chunk < end; chunk += CHUNK_PAGES) {
      int count = (int) Math.min(CHUNK_PAGES, end - chunk);
      // One more, for the first tail of a compound page.
      var block = Block.read(program.memory(), address(chunk), (count + 1) * size);
      for (int i = 0; i < count; i++) {
        long page = chunk + i;
        byte use;
        if (page < freeEnd) {
          use = (byte) Use.FREE.ordinal();
        } else if (!block.has(i * size, size)) {
          use = KERNEL;
          unreadable += page >= first && lost(page) ? 1 : 0;
        } else {
          long free = freePages(block, i * size, page);
          freeEnd = free == 0 ? freeEnd : page + free;
          use = free == 0 ? use(block, i * size, page, first, into) : (byte) Use.FREE.ordinal();
        }
        if (page >= first) {
          into[(int) (page - first)] = use;
        }
      }
    }
  }

  /** Whether there is a {@code struct page} that is missing; memory that is no RAM has none. */
  private boolean lost(long page) {
    return program.memory().at(address(page)) != Readability.UNMAPPED;
  }

  /** Where the {@code struct page} of a page is. */
  private long address(long page) {
    return vmemmap + (page - base) * size;
  }

  /** How many free pages begin with this one; 0 when it is not the first of a free block. */
  private long freePages(Block block, int at, long page) {
    int word = (int) type.in(block, at);
    long bits = flags.in(block, at);
    if (word >= UNTYPED
        || !known.contains(Use.FREE)
        || bits == -1
        || (bits & (reservedFlag | slabFlag)) != 0) {
      return 0;
    }
    if (buddy.get().is(word)) {
      long order = privateWord.get().in(block, at);
      boolean sane = order >= 0 && order < freeOrders && (page & ((1L << order) - 1)) == 0;
      return sane ? 1L << order : 0;
    }
    if (unaccepted.isPresent() && unaccepted.get().is(word)) {
      return (page & ((1L << (freeOrders - 1)) - 1)) == 0 ? 1L << (freeOrders - 1) : 0;
    }
    return offline.isPresent() && offline.get().is(word) ? 1 : 0;
  }

  private byte use(Block block, int at, long page, long first, byte[] into) {
    long link = compound.in(block, at);
    if ((link & 1) == 0) {
      return headUse(block, at);
    }
    long head = (Pages.head(address(page), link) - vmemmap) / size + base;
    if (head < base || head >= page) {
      return KERNEL;
    }
    if (head >= first) {
      return into[(int) (head - first)];
    }
    if (head != recentHead) {
      var other = Block.read(program.memory(), address(head), 2 * size);
      boolean isHead = other.has(0, size) && (compound.in(other, 0) & 1) == 0;
      recentUse = isHead ? headUse(other, 0) : KERNEL;
      recentHead = head;
    }
    return recentUse;
  }

  /** Of a page that is no tail. */
  private byte headUse(Block block, int at) {
    long bits = flags.in(block, at);
    if (bits == -1 || (bits & (reservedFlag | slabFlag)) != 0) {
      return KERNEL;
    }
    int word = (int) type.in(block, at);
    Use use;
    if (isHugetlb(block, at, bits, word)) {
      use = Use.USER;
    } else if (word < UNTYPED) {
      use = Use.KERNEL;
    } else if ((mapping.in(block, at) & 1) != 0) {
      use = Use.USER;
    } else if ((bits & lruFlag) != 0
        || (swapCacheFlags != 0 && (bits & swapCacheFlags) == swapCacheFlags)) {
      use = (bits & privateFlag) != 0 ? Use.PRIVATE_CACHE : Use.CACHE;
    } else {
      use = Use.KERNEL;
    }
    return known.contains(use) ? (byte) use.ordinal() : KERNEL;
  }

  private boolean isHugetlb(Block block, int at, long bits, int word) {
    if (hugetlb.isPresent()) {
      return hugetlb.get().is(word);
    }
    int tail = at + size;
    if ((bits & headFlag) == 0 || !block.has(tail, size)) {
      return false;
    }
    return tailHugetlbFlag != 0
        ? (flags.in(block, tail) & tailHugetlbFlag) != 0
        : tailDestructor.isPresent() && tailDestructor.get().in(block, tail) == hugetlbDestructor;
  }

  private Optional<Type> type(String name, String noted, OptionalLong usual) {
    var types = program.types();
    var number = types.enumerator("pagetype", "PGTY_" + name);
    if (number.isPresent()) {
      return Optional.of(new Type(0xff00_0000, (int) (number.getAsLong() << 24)));
    }
    var base = types.enumerator("pagetype", "PAGE_TYPE_BASE");
    var bit = types.enumerator("pagetype", "PG_" + name);
    if (base.isPresent() && bit.isPresent()) {
      return Optional.of(
          new Type((int) (base.getAsLong() | bit.getAsLong()), (int) base.getAsLong()));
    }
    if (types.enumerator("pagetype", "PGTY_buddy").isPresent() || base.isPresent()) {
      return Optional.empty(); // This kernel does not have the type.
    }
    var value = info.isPresent() ? info.get().number(noted) : OptionalLong.empty();
    if (value.isEmpty()) {
      value = usual;
    }
    return value.isPresent()
        ? Optional.of(new Type(-1, (int) value.getAsLong()))
        : Optional.empty();
  }

  /** The mask of a flag; 0 when this kernel does not have it. */
  private long flag(String name) {
    var bit = program.types().enumerator("pageflags", name);
    return bit.isPresent() && bit.getAsLong() >= 0 && bit.getAsLong() < 64
        ? 1L << bit.getAsLong()
        : 0;
  }

  /** The destructor's number in the first tail page. */
  private Optional<Field> destructor() {
    var inTail = layouts.find("page", "compound_dtor");
    if (inTail.isPresent()) {
      return inTail;
    }
    var inFolio = layouts.find("folio", "_folio_dtor");
    return inFolio.isPresent() && inFolio.get().offset() >= size
        ? Optional.of(
            new Field(
                inFolio.get().name(),
                inFolio.get().offset() - size,
                inFolio.get().bytes(),
                inFolio.get().signed(),
                0,
                0))
        : Optional.empty();
  }

  /** The number of orders of free blocks: the length of {@code zone.free_area}. */
  private int freeOrders() {
    var area = layouts.find("zone", "free_area");
    var one = layouts.size("free_area");
    int orders = area.isPresent() && one.isPresent() ? area.get().bytes() / one.getAsInt() : 0;
    return orders > MAX_BLOCK_ORDER ? 0 : orders;
  }

  private void decide() {
    if (reservedFlag == 0 || headFlag == 0) {
      throw new EvalException("enum pageflags has no PG_reserved or no PG_head");
    }
    if (buddy.isPresent() && privateWord.isPresent() && freeOrders > 0) {
      known.add(Use.FREE);
    } else {
      remarks.add("free pages are kept: page.private or zone.free_area is not known");
    }
    if (slabFlag == 0 && !hasTypes()) {
      remarks.add("user and cache pages are kept: PG_slab is not known");
      return;
    }
    known.add(Use.USER);
    if (hugetlb.isEmpty()
        && tailHugetlbFlag == 0
        && (tailDestructor.isEmpty() || hugetlbDestructor < 0)) {
      remarks.add("hugetlb pages are kept: how to tell them is not known");
    }
    if (lruFlag == 0) {
      remarks.add("cache pages are kept: PG_lru is not known");
      return;
    }
    known.add(Use.CACHE);
    known.add(Use.PRIVATE_CACHE);
    if (privateFlag == 0) {
      known.remove(Use.CACHE);
      known.remove(Use.PRIVATE_CACHE);
      remarks.add("cache pages are kept: PG_private is not known");
    }
  }

  /** Whether pages have types, of which slab is one where it is no flag (since 6.10). */
  private boolean hasTypes() {
    return layouts.find("page", "page_type").isPresent();
  }

  /**
   * Looks at pages whose use is certain: those of the kernel's text are reserved, those of tasks
   * the kernel's. Were a base or a member wrong, they would hardly all be.
   */
  private void prove(Iterator<Task> tasks) {
    var start = program.address("_stext");
    var end = program.address("_etext");
    if (start.isEmpty() || end.isEmpty()) {
      throw new EvalException("there is no symbol _stext or _etext to check struct page by");
    }
    long step = Math.max((end.getAsLong() - start.getAsLong()) / CHECKED_TEXT, 1);
    for (long at = start.getAsLong(); at < end.getAsLong(); at += step) {
      checkReserved(at);
    }
    for (int i = 0; i < CHECKED_TASKS && tasks.hasNext(); i++) {
      long task = tasks.next().object().address();
      var physical = program.memory().physical(task);
      if (physical.isPresent()) {
        var use = new byte[1];
        read(physical.getAsLong() >>> shift, use);
        if (use[0] != KERNEL) {
          throw new EvalException(
              "the page of the task at 0x"
                  + Long.toHexString(task)
                  + " would be "
                  + Use.values()[use[0]].name().toLowerCase(java.util.Locale.ROOT)
                  + ": struct page is not what it is taken for");
        }
      }
    }
  }

  private void checkReserved(long text) {
    var physical = program.memory().physical(text);
    if (physical.isEmpty()) {
      return;
    }
    long page = pages.page(physical.getAsLong());
    var block = Block.read(program.memory(), page, size);
    if (block.has(0, size) && (flags.in(block) == -1 || (flags.in(block) & reservedFlag) == 0)) {
      throw new EvalException(
          "the page of the kernel's text at 0x"
              + Long.toHexString(text)
              + " is not reserved: struct page is not what it is taken for");
    }
  }
}
