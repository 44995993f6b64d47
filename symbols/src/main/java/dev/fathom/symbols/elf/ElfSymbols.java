// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.elf;

import dev.fathom.format.elf.Elf;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.format.elf.ElfSymtab;
import dev.fathom.format.elf.SectionHeader;
import dev.fathom.model.Located;
import dev.fathom.model.Symbol;
import dev.fathom.model.SymbolTable;
import dev.fathom.symbols.NameTable;
import dev.fathom.symbols.demangle.Demangler;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The functions and variables of an ELF file: its {@code .symtab}, or when it is stripped {@code
 * .dynsym} and the functions of its mini debug info. Thread-local variables have no address and are
 * left out of the table, and so are undefined symbols and the assembler's marks. The names of C++
 * are shown demangled and found mangled, demangled, without parameters and without scope. {@link
 * Symbol} objects are made on demand. May be used by several threads.
 */
public final class ElfSymbols implements SymbolTable {
  private static final String PER_CPU = ".data..percpu";

  /** How many symbols that start before an address are asked whether they contain it. */
  private static final int LOOK_BACK = 256;

  private final String module;
  private final List<Part> parts;

  /** For each kept symbol the number in its part, and the first of each part. */
  private final int[] numbers;

  private final long[] addresses;
  private final byte[] kinds;
  private final Order code;
  private final Order perCpu;
  private NameTable names;

  /** The symbols of C++ by each of their readable names; made when such a name is looked for. */
  private ReadableNames readable;

  /** One symbol table, from which the symbols from number {@code first} on are. */
  private record Part(ElfFile file, ElfSymtab table, int first) {}

  private ElfSymbols(String module, Keeper keeper) {
    this.module = module;
    this.parts = List.copyOf(keeper.parts);
    this.numbers = Arrays.copyOf(keeper.numbers, keeper.count);
    this.addresses = Arrays.copyOf(keeper.addresses, keeper.count);
    this.kinds = Arrays.copyOf(keeper.kinds, keeper.count);
    this.code = new Order(Symbol.Kind.TEXT, Symbol.Kind.DATA);
    this.perCpu = new Order(Symbol.Kind.PER_CPU, Symbol.Kind.PER_CPU);
  }

  /**
   * The symbols of a file that was loaded.
   *
   * @param module what {@link Symbol#module} says; empty for the kernel or program proper
   * @throws dev.fathom.base.BadDataException when the symbol table is damaged
   */
  public static ElfSymbols of(ElfFile file, Placement placement, String module) {
    var keeper = new Keeper(placement);
    var full = file.symtab();
    if (full.isPresent()) {
      keeper.add(file, full.get());
    } else {
      file.dynsym().ifPresent(table -> keeper.add(file, table));
      file.sections()
          .miniDebugInfo()
          .ifPresent(mini -> mini.symtab().ifPresent(table -> keeper.add(mini, table)));
    }
    return new ElfSymbols(module, keeper);
  }

  /** Collects what is kept of the tables. */
  private static final class Keeper {
    private final Placement placement;
    private final List<Part> parts = new ArrayList<>();
    private int[] numbers = new int[0];
    private long[] addresses = new long[0];
    private byte[] kinds = new byte[0];
    private int count;

    Keeper(Placement placement) {
      this.placement = placement;
    }

    void add(ElfFile file, ElfSymtab table) {
      parts.add(new Part(file, table, count));
      numbers = Arrays.copyOf(numbers, count + table.count());
      addresses = Arrays.copyOf(addresses, count + table.count());
      kinds = Arrays.copyOf(kinds, count + table.count());
      boolean relocatable = file.header().type() == Elf.ET_REL;
      boolean marks =
          file.header().machine() == Elf.EM_AARCH64 || file.header().machine() == Elf.EM_ARM;
      var sections = file.sections().all();
      byte[] dollar = {'$'};
      for (int i = 1; i < table.count(); i++) {
        if (!isKept(table, i) || (marks && table.nameStartsWith(i, dollar))) {
          continue;
        }
        if (table.isAbsolute(i)) {
          keep(i, table.value(i), Symbol.Kind.ABSOLUTE);
          continue;
        }
        var section =
            table.section(i) < sections.size()
                ? Optional.of(sections.get(table.section(i)))
                : Optional.<SectionHeader>empty();
        long address = table.value(i);
        if (relocatable && section.isPresent()) {
          address += file.sections().address(section.get());
        }
        boolean isPerCpu = section.isPresent() && section.get().name().equals(PER_CPU);
        if (isPerCpu && section.get().addr() == 0 && !relocatable) {
          keep(i, address, Symbol.Kind.PER_CPU); // offsets do not move with the kernel
          continue;
        }
        var placed = placement.toTarget(address);
        if (placed.isPresent()) {
          keep(
              i, placed.getAsLong(), isPerCpu ? Symbol.Kind.PER_CPU : kind(table.type(i), section));
        }
      }
    }

    private static boolean isKept(ElfSymtab table, int i) {
      boolean fits =
          switch (table.type(i)) {
            case Elf.STT_NOTYPE, Elf.STT_OBJECT, Elf.STT_FUNC, Elf.STT_GNU_IFUNC -> true;
            default -> false;
          };
      return fits && (table.hasSection(i) || table.isAbsolute(i)) && table.isNamed(i);
    }

    private static Symbol.Kind kind(int type, Optional<SectionHeader> section) {
      return switch (type) {
        case Elf.STT_FUNC, Elf.STT_GNU_IFUNC -> Symbol.Kind.TEXT;
        case Elf.STT_OBJECT -> Symbol.Kind.DATA;
        default ->
            section.isPresent() && (section.get().flags() & Elf.SHF_EXECINSTR) != 0
                ? Symbol.Kind.TEXT
                : Symbol.Kind.DATA;
      };
    }

    private void keep(int number, long address, Symbol.Kind kind) {
      numbers[count] = number;
      addresses[count] = address;
      kinds[count] = (byte) kind.ordinal();
      count++;
    }
  }

  /** Kept symbols in ascending order of their addresses. */
  private final class Order {
    /** The distinct addresses, the sign bit flipped so that they sort as unsigned. */
    private final long[] starts;

    /** The highest end of the symbols up to each start, flipped as well. */
    private final long[] ends;

    /** The symbols by address; those of start {@code i} from {@code firsts[i]} on. */
    private final int[] ordered;

    private final int[] firsts;

    Order(Symbol.Kind one, Symbol.Kind other) {
      var which =
          IntStream.range(0, kinds.length)
              .filter(i -> kinds[i] == one.ordinal() || kinds[i] == other.ordinal())
              .toArray();
      var keys = new long[which.length];
      for (int i = 0; i < which.length; i++) {
        keys[i] = addresses[which[i]] ^ Long.MIN_VALUE;
      }
      var sorted = keys.clone();
      Arrays.sort(sorted);
      int distinct = 0;
      for (int i = 0; i < sorted.length; i++) {
        if (i == 0 || sorted[i] != sorted[i - 1]) {
          sorted[distinct++] = sorted[i];
        }
      }
      starts = Arrays.copyOf(sorted, distinct);
      firsts = new int[distinct + 1];
      var places = new int[which.length];
      for (int i = 0; i < which.length; i++) {
        places[i] = Arrays.binarySearch(starts, keys[i]);
        firsts[places[i] + 1]++;
      }
      for (int i = 0; i < distinct; i++) {
        firsts[i + 1] += firsts[i];
      }
      ordered = new int[which.length];
      var next = Arrays.copyOf(firsts, distinct);
      for (int i = 0; i < which.length; i++) {
        ordered[next[places[i]]++] = which[i];
      }
      ends = new long[distinct];
      long highest = Long.MIN_VALUE;
      for (int i = 0; i < distinct; i++) {
        for (int k = firsts[i]; k < firsts[i + 1]; k++) {
          long end = starts[i] + size(ordered[k]);
          // One whose end wraps has no size worth believing.
          highest = Math.max(highest, Math.max(end, starts[i] + 1));
        }
        ends[i] = highest;
      }
    }

    Optional<Located> at(long address) {
      long key = address ^ Long.MIN_VALUE;
      int floor = Arrays.binarySearch(starts, key);
      if (floor < 0) {
        floor = -floor - 2;
      }
      for (int i = floor; i >= 0 && i > floor - LOOK_BACK && ends[i] > key; i--) {
        int best = best(i, key);
        if (best >= 0) {
          return Optional.of(new Located(symbol(best), address - addresses[best]));
        }
      }
      // Code of an assembler's file often has no sizes: it reaches to the next symbol.
      // A mark inside a function does not.
      boolean free = floor == 0 || (floor > 0 && ends[floor - 1] <= starts[floor]);
      if (free && floor + 1 < starts.length && ends[floor] <= key) {
        int best = best(floor, starts[floor]);
        if (best >= 0 && size(best) == 0) {
          return Optional.of(new Located(symbol(best), address - addresses[best]));
        }
      }
      return Optional.empty();
    }

    /** The best of the symbols of a start that contain the address, or -1. */
    private int best(int start, long key) {
      int best = -1;
      for (int k = firsts[start]; k < firsts[start + 1]; k++) {
        int symbol = ordered[k];
        long size = size(symbol);
        boolean contains =
            key == starts[start] || Long.compareUnsigned(key - starts[start], size) < 0;
        if (contains && (best < 0 || isBetter(symbol, best))) {
          best = symbol;
        }
      }
      return best;
    }

    /** The distance to the next symbol that starts elsewhere; 0 when there is none. */
    long gap(long address) {
      int place = Arrays.binarySearch(starts, address ^ Long.MIN_VALUE);
      return place < 0 || place + 1 >= starts.length ? 0 : starts[place + 1] - starts[place];
    }
  }

  private Part part(int symbol) {
    int last = parts.size() - 1;
    while (parts.get(last).first > symbol) {
      last--;
    }
    return parts.get(last);
  }

  private long size(int symbol) {
    return part(symbol).table.size(numbers[symbol]);
  }

  /** Whether of two names for one place the first is the one to show. */
  private boolean isBetter(int symbol, int other) {
    int difference = rank(symbol) - rank(other);
    return difference == 0 ? weight(symbol) < weight(other) : difference > 0;
  }

  /**
   * Of names that are alike else the least: {@code cbrt} before {@code cbrtf64}, {@code __cbrt}.
   */
  private int weight(int symbol) {
    var name = part(symbol).table.name(numbers[symbol]);
    int underscores = 0;
    while (underscores < name.length() && name.charAt(underscores) == '_') {
      underscores++;
    }
    return (underscores << 16) + Math.min(name.length(), 0xffff);
  }

  /** Of names for one place the better: typed before untyped, global before weak before local. */
  private int rank(int symbol) {
    var table = part(symbol).table;
    int number = numbers[symbol];
    int rank = table.type(number) == Elf.STT_NOTYPE ? 0 : 4;
    rank += table.size(number) == 0 ? 0 : 8;
    return rank
        + switch (table.binding(number)) {
          case Elf.STB_GLOBAL, Elf.STB_GNU_UNIQUE -> 3;
          case Elf.STB_WEAK -> 2;
          default -> 1;
        };
  }

  private Symbol symbol(int symbol) {
    var part = part(symbol);
    int number = numbers[symbol];
    var kind = Symbol.Kind.values()[kinds[symbol]];
    long size = part.table.size(number);
    long address = addresses[symbol];
    if (size == 0) {
      size =
          switch (kind) {
            case TEXT, DATA -> code.gap(address);
            case PER_CPU, ABSOLUTE -> 0;
          };
    }
    return new Symbol(shown(symbol), address, size, kind, letter(part, number), module);
  }

  private String shown(int symbol) {
    var name = part(symbol).table.name(numbers[symbol]);
    return Demangler.isMangled(name) ? Demangler.demangle(name).orElse(name) : name;
  }

  private synchronized ReadableNames readable() {
    if (readable == null) {
      readable = new ReadableNames();
      byte[] mangled = {'_', 'Z'};
      for (int i = 0; i < numbers.length; i++) {
        var table = part(i).table;
        if (table.nameStartsWith(numbers[i], mangled)) {
          readable.add(table.name(numbers[i]), i);
        }
      }
    }
    return readable;
  }

  /** The letter that nm shows. */
  private static char letter(Part part, int number) {
    var table = part.table;
    int binding = table.binding(number);
    if (table.type(number) == Elf.STT_GNU_IFUNC) {
      return 'i';
    }
    if (binding == Elf.STB_WEAK) {
      return table.type(number) == Elf.STT_OBJECT ? 'V' : 'W';
    }
    char letter = table.isAbsolute(number) ? 'a' : sectionLetter(part, table.section(number));
    return binding == Elf.STB_LOCAL ? letter : Character.toUpperCase(letter);
  }

  private static char sectionLetter(Part part, int number) {
    var sections = part.file.sections().all();
    if (number >= sections.size()) {
      return part.table.type(number) == Elf.STT_FUNC ? 't' : 'd';
    }
    var section = sections.get(number);
    if ((section.flags() & Elf.SHF_EXECINSTR) != 0) {
      return 't';
    }
    if (section.type() == Elf.SHT_NOBITS && (section.flags() & Elf.SHF_WRITE) != 0) {
      return 'b';
    }
    return (section.flags() & Elf.SHF_WRITE) != 0 ? 'd' : 'r';
  }

  /** How many symbols there are. */
  public int count() {
    return numbers.length;
  }

  @Override
  public Optional<Located> at(long address) {
    return code.at(address);
  }

  @Override
  public Optional<Located> perCpuAt(long offset) {
    return perCpu.at(offset);
  }

  @Override
  public List<Symbol> named(String name) {
    int tick = name.indexOf('`');
    if (tick >= 0 && !isMine(name.substring(0, tick))) {
      return List.of();
    }
    byte[] bytes = name.substring(tick + 1).getBytes(StandardCharsets.UTF_8);
    var found = new ArrayList<Symbol>(1);
    var table = names();
    for (int i = table.first(ElfSymtab.hash(bytes)); i >= 0; i = table.next(i)) {
      if (part(i).table.nameEquals(numbers[i], bytes)) {
        found.add(symbol(i));
      }
    }
    if (found.isEmpty()) {
      var wanted = name.substring(tick + 1);
      var members = new ArrayList<Symbol>();
      for (int i : readable().find(wanted)) {
        (isWhole(i, wanted) ? found : members).add(symbol(i));
      }
      found.addAll(members);
    }
    return found;
  }

  @Override
  public List<Symbol> exactly(String name) {
    int tick = name.indexOf('`');
    var wanted = name.substring(tick + 1);
    var found = named(name);
    return found.isEmpty() || found.getFirst().name().equals(wanted) || Demangler.isMangled(wanted)
        ? found
        : readable().find(wanted).stream()
            .filter(i -> isWhole(i, wanted))
            .map(this::symbol)
            .toList();
  }

  private boolean isWhole(int symbol, String wanted) {
    return ReadableNames.isWhole(part(symbol).table.name(numbers[symbol]), wanted);
  }

  /**
   * Where the thread-local variable of that name is in the storage that each thread has for the
   * file.
   */
  public OptionalLong threadLocal(String name) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    for (var part : parts) {
      var table = part.table;
      for (int i = 1; i < table.count(); i++) {
        if (table.type(i) == Elf.STT_TLS && table.hasSection(i) && table.nameEquals(i, bytes)) {
          return OptionalLong.of(table.value(i));
        }
      }
    }
    return OptionalLong.empty();
  }

  private boolean isMine(String wanted) {
    return module.isEmpty()
        ? wanted.isEmpty() || wanted.equals("vmlinux") || wanted.equals("unix")
        : wanted.equals(module);
  }

  private synchronized NameTable names() {
    if (names == null) {
      var hashes = new int[numbers.length];
      for (int i = 0; i < hashes.length; i++) {
        hashes[i] = part(i).table.nameHash(numbers[i]);
      }
      names = NameTable.of(hashes);
    }
    return names;
  }

  @Override
  public Stream<Symbol> stream() {
    return IntStream.range(0, numbers.length).mapToObj(this::symbol);
  }

  @Override
  public List<String> completions(String prefix, int limit) {
    byte[] bytes = prefix.getBytes(StandardCharsets.UTF_8);
    var found = new TreeSet<String>();
    for (var name : readable().all()) {
      if (name.startsWith(prefix) && limit > 0) {
        found.add(name);
        if (found.size() > limit) {
          found.removeLast();
        }
      }
    }
    for (int i = 0; i < numbers.length && limit > 0; i++) {
      var table = part(i).table;
      if (table.nameStartsWith(numbers[i], bytes)) {
        found.add(table.name(numbers[i]));
        if (found.size() > limit) {
          found.removeLast();
        }
      }
    }
    return List.copyOf(found);
  }
}
