// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.FathomException;
import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.format.btf.Btf;
import dev.fathom.format.kallsyms.KallsymsFinder;
import dev.fathom.format.kallsyms.KallsymsPositions;
import dev.fathom.format.kallsyms.KallsymsPositions.Addresses;
import dev.fathom.format.orc.Orc;
import dev.fathom.kernel.linux.boot.Constants;
import dev.fathom.kernel.linux.boot.KernelFile;
import dev.fathom.kernel.linux.boot.KernelFinder;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.SymbolTable;
import dev.fathom.symbols.KallsymsSymbols;
import dev.fathom.symbols.index.TableIndex;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/**
 * Reads the tables that a kernel carries about itself: kallsyms, BTF, ORC. Where its own file is
 * known they come from there: some 10 MB, which a serial line brings in a quarter of an hour.
 */
final class KernelTables {
  /** Larger than the images and tables of any kernel; a table beyond is corrupt. */
  private static final long SIZE_LIMIT = 256L << 20;

  /** The index's name for where the tables of kallsyms are in the image. */
  private static final String POSITIONS = "positions";

  private static final int POSITION_COUNT = 7;

  /** How {@code linux_banner} begins (init/version.c). */
  private static final String BANNER = "Linux version ";

  private final KernelPlace place;
  private final TableIndex index;
  private final Optional<KernelFile> file;

  /**
   * @param file what the kernel was loaded from, where it is known
   */
  KernelTables(KernelPlace place, TableIndex index, Optional<KernelFile> file) {
    this.place = place;
    this.index = index;
    this.file = file;
  }

  /**
   * The kernel's symbols: where its file or VMCOREINFO (kernels since 6.0) says they are, else
   * where they were in this kernel before, else where a search through the image finds them; empty
   * when the kernel has none (CONFIG_KALLSYMS off). What VMCOREINFO leads to counts only if it fits
   * what is known otherwise.
   *
   * @param warnings told when VMCOREINFO leads to no usable table
   * @throws BadDataException when the tables found contradict each other
   */
  Optional<KallsymsSymbols> symbols(List<String> warnings) {
    if (file.isPresent()) {
      try {
        var named = told(file.get()::symbol).filter(this::startsWithBanner);
        if (named.isPresent()) {
          return named;
        }
      } catch (FathomException e) {
        warnings.add("the kernel's file is not used for its symbols: " + e.getMessage());
      }
    }
    if (place.vmcoreinfo().isPresent()) {
      try {
        var told = told(place.vmcoreinfo().get()::symbol);
        if (told.isPresent()) {
          if (agrees(told.get())) {
            return told;
          }
          warnings.add("the symbols that VMCOREINFO leads to do not fit the kernel");
        }
      } catch (FathomException e) {
        warnings.add("the symbols that VMCOREINFO leads to cannot be read: " + e.getMessage());
      }
    }
    var kept = kept();
    if (kept.isPresent()) {
      return kept;
    }
    var constants = Constants.of(place);
    var found = searched(constants);
    return found.isPresent() || constants.equals(place.image()) ? found : searched(place.image());
  }

  /** The tables at the positions that the index keeps. */
  private Optional<KallsymsSymbols> kept() {
    var positions = index.facts(POSITIONS, POSITION_COUNT);
    if (positions.isEmpty()) {
      return Optional.empty();
    }
    try {
      var symbols = read(Positions.kept(positions.get(), place.image().start()));
      return symbols.filter(this::startsWithBanner);
    } catch (FathomException _) {
      return Optional.empty(); // Another kernel of that build-id: its tables are searched for.
    }
  }

  /** The tables that a search through a part of the image finds. */
  private Optional<KallsymsSymbols> searched(Range part) {
    long start = part.start();
    long length = Math.min(part.length(), SIZE_LIMIT);
    var bytes = KernelFinder.imageBytes(place, start, (int) length);
    var found = KallsymsFinder.find(bytes, start);
    int offset = (int) (start - place.image().start());
    found.ifPresent(positions -> index.keepFacts(POSITIONS, Positions.toKeep(positions, offset)));
    return found.map(positions -> index.symbols(bytes, positions));
  }

  /**
   * Whether {@code _stext} is where VMCOREINFO says, and {@code linux_banner}, which kernels
   * without CONFIG_KALLSYMS_ALL do not list, begins as {@code /proc/version} does.
   */
  private boolean agrees(SymbolTable symbols) {
    var text = symbols.first("_stext");
    var stated = place.vmcoreinfo().orElseThrow().symbol("_stext");
    if (text.isEmpty() || (stated.isPresent() && stated.getAsLong() != text.get().address())) {
      return false;
    }
    return startsWithBanner(symbols);
  }

  /** True, too, when the banner is not listed or not there. */
  private boolean startsWithBanner(SymbolTable symbols) {
    var banner = symbols.first("linux_banner");
    if (banner.isEmpty() || place.space().at(banner.get().address()) != Readability.READABLE) {
      return true;
    }
    return place.space().cString(banner.get().address(), BANNER.length()).equals(BANNER);
  }

  /**
   * The tables that symbols known otherwise lead to.
   *
   * @param known the address of a symbol
   */
  private Optional<KallsymsSymbols> told(Function<String, OptionalLong> known) {
    var names = known.apply("kallsyms_names");
    var number = known.apply("kallsyms_num_syms");
    var tokens = known.apply("kallsyms_token_table");
    var tokenIndex = known.apply("kallsyms_token_index");
    if (names.isEmpty() || number.isEmpty() || tokens.isEmpty() || tokenIndex.isEmpty()) {
      return Optional.empty();
    }
    return read(
        new Positions(
            number.getAsLong(),
            names.getAsLong(),
            tokens.getAsLong(),
            tokenIndex.getAsLong(),
            known.apply("kallsyms_offsets"),
            known.apply("kallsyms_relative_base"),
            known.apply("kallsyms_addresses")));
  }

  private Optional<KallsymsSymbols> read(Positions at) {
    long count = place.space().u32(at.number());
    var region = at.region(count);
    if (Long.compareUnsigned(region.length(), SIZE_LIMIT) > 0) {
      return Optional.empty();
    }
    long start = region.start;
    return at.form(start)
        .map(
            form -> {
              var bytes = bytes("kallsyms", place.space(), start, region.length(), at.base());
              var positions =
                  new KallsymsPositions(
                      at.number() - start,
                      at.names() - start,
                      at.tokens() - start,
                      at.index() - start,
                      form);
              return index.symbols(bytes, positions);
            });
  }

  /** The virtual addresses of the tables of kallsyms. */
  private record Positions(
      long number,
      long names,
      long tokens,
      long index,
      OptionalLong offsets,
      OptionalLong base,
      OptionalLong addresses) {

    /** From what {@link #toKeep} made, in an image that starts at {@code start}. */
    static Positions kept(int[] kept, long start) {
      return new Positions(
          start + kept[0],
          start + kept[1],
          start + kept[2],
          start + kept[3],
          at(kept[4], start),
          at(kept[5], start),
          at(kept[6], start));
    }

    private static OptionalLong at(int offset, long start) {
      return offset < 0 ? OptionalLong.empty() : OptionalLong.of(start + offset);
    }

    /**
     * The offsets in the image; -1 for tables that this kernel does not have.
     *
     * @param offset in the image, of the part that {@code found} counts from
     */
    static int[] toKeep(KallsymsPositions found, int offset) {
      int[] kept = {
        offset + (int) found.numSyms(),
        offset + (int) found.names(),
        offset + (int) found.tokenTable(),
        offset + (int) found.tokenIndex(),
        -1,
        -1,
        -1
      };
      switch (found.addresses()) {
        case Addresses.BaseRelative(long offsets, long base) -> {
          kept[4] = offset + (int) offsets;
          kept[5] = offset + (int) base;
        }
        case Addresses.PlaceRelative(long offsets, long _) -> kept[4] = offset + (int) offsets;
        case Addresses.Absolute(long absolute) -> kept[6] = offset + (int) absolute;
      }
      return kept;
    }

    Region region(long count) {
      var region = new Region();
      region.add(number, 8);
      region.add(names, 1);
      region.add(tokens, 1);
      region.add(index, 512);
      region.add(offsets, 4 * count);
      region.add(base, 8);
      region.add(addresses, 8 * count);
      return region;
    }

    /** Where the addresses of symbols are, counted from {@code start}; empty if nowhere. */
    Optional<Addresses> form(long start) {
      if (offsets.isPresent() && base.isPresent()) {
        return Optional.of(
            new Addresses.BaseRelative(offsets.getAsLong() - start, base.getAsLong() - start));
      }
      if (offsets.isPresent()) {
        return Optional.of(
            new Addresses.PlaceRelative(offsets.getAsLong() - start, offsets.getAsLong()));
      }
      return addresses.isPresent()
          ? Optional.of(new Addresses.Absolute(addresses.getAsLong() - start))
          : Optional.empty();
    }
  }

  /** The smallest run of addresses that holds all that was added. */
  private static final class Region {
    private long start = -1;
    private long end;

    void add(OptionalLong at, long length) {
      if (at.isPresent()) {
        add(at.getAsLong(), length);
      }
    }

    void add(long at, long length) {
      if (Long.compareUnsigned(at, start) < 0) {
        start = at;
      }
      if (Long.compareUnsigned(at + length, end) > 0) {
        end = at + length;
      }
    }

    long length() {
      return end - start;
    }
  }

  /**
   * The BTF between {@code __start_BTF} and {@code __stop_BTF}; empty when the kernel has none
   * (before 5.2, or CONFIG_DEBUG_INFO_BTF off).
   */
  Optional<Btf> btf(AddressSpace memory, SymbolTable symbols) {
    return between("BTF", memory, symbols, "__start_BTF", "__stop_BTF").map(index::btf);
  }

  /** The kernel's ORC tables; empty when it has none (before 4.14, or CONFIG_UNWINDER_ORC off). */
  Optional<Orc> orc(AddressSpace memory, SymbolTable symbols) {
    var start = symbols.first("__start_orc_unwind_ip");
    var ip =
        between("ORC addresses", memory, symbols, "__start_orc_unwind_ip", "__stop_orc_unwind_ip");
    var entries = between("ORC", memory, symbols, "__start_orc_unwind", "__stop_orc_unwind");
    if (start.isEmpty() || ip.isEmpty() || entries.isEmpty()) {
      return Optional.empty();
    }
    var orc = Orc.parse(ip.get(), start.get().address(), entries.get());
    if (file.isEmpty() || orc.isSorted()) {
      return Optional.of(orc);
    }
    // Before 5.6 the kernel sorts them itself when it boots (unwind_init).
    return new KernelTables(place, index, Optional.empty()).orc(memory, symbols);
  }

  private Optional<ByteSource> between(
      String what, AddressSpace memory, SymbolTable symbols, String first, String last) {
    var start = symbols.first(first);
    var end = symbols.first(last);
    if (start.isEmpty() || end.isEmpty()) {
      return Optional.empty();
    }
    long length = end.get().address() - start.get().address();
    return length <= 0
        ? Optional.empty()
        : Optional.of(bytes(what, memory, start.get().address(), length, OptionalLong.empty()));
  }

  /**
   * A table's bytes, of the kernel's file where that has them.
   *
   * @param moved the address of a word in it that KASLR changes in memory
   */
  private ByteSource bytes(
      String what, AddressSpace memory, long address, long length, OptionalLong moved) {
    var own =
        length > SIZE_LIMIT
            ? Optional.<ByteSource>empty()
            : file.flatMap(f -> f.bytes(what, address, (int) length));
    if (own.isEmpty() || moved.isEmpty()) {
      return own.orElseGet(() -> bytes(what, memory, address, length));
    }
    var bytes = own.get().bytes(0, (int) length);
    ByteBuffer.wrap(bytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong((int) (moved.getAsLong() - address), memory.u64(moved.getAsLong()));
    return ByteSource.of(own.get().name(), bytes);
  }

  /**
   * A copy of target memory.
   *
   * @throws BadDataException when it would be absurdly long
   * @throws dev.fathom.base.FaultException when a part of it cannot be read
   */
  static ByteSource bytes(String what, AddressSpace memory, long address, long length) {
    if (Long.compareUnsigned(length, SIZE_LIMIT) > 0) {
      throw new BadDataException(
          what, 0, "has " + Long.toUnsignedString(length) + " bytes, more than any kernel's");
    }
    return ByteSource.of(
        what + " at 0x" + Long.toHexString(address), memory.bytes(address, (int) length));
  }
}
