// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.source;

import dev.fathom.base.BadDataException;
import dev.fathom.base.EvalException;
import dev.fathom.base.Range;
import dev.fathom.format.dwarf.AddressRanges;
import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.CallFrames;
import dev.fathom.format.dwarf.CfiRow;
import dev.fathom.format.dwarf.Die;
import dev.fathom.format.dwarf.Dwarf;
import dev.fathom.format.dwarf.LineFiles;
import dev.fathom.format.dwarf.LineProgram;
import dev.fathom.format.dwarf.LineTable;
import dev.fathom.format.dwarf.NameTable;
import dev.fathom.format.dwarf.Tag;
import dev.fathom.format.dwarf.Unit;
import dev.fathom.format.dwarf.UnitLists;
import dev.fathom.model.CxxNames;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.source.Activation;
import dev.fathom.model.source.FrameView;
import dev.fathom.model.source.SourceInfo;
import dev.fathom.model.source.SourceLine;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.VoidType;
import dev.fathom.symbols.DwarfRegisters;
import dev.fathom.symbols.demangle.Demangler;
import dev.fathom.symbols.dwarf.DwarfTypeSource;
import dev.fathom.symbols.elf.Placement;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The source of the code of one file, by its DWARF. Which unit describes an address is read from
 * all units' own entries once; a unit's functions and lines are read when one of its addresses is
 * asked about. Used by one thread.
 */
public final class DwarfSource implements SourceInfo {
  /** Units whose functions and lines are kept. */
  private static final int KEPT = 256;

  /** Entries of functions whose code is kept. */
  private static final int KEPT_ENTRIES = 4096;

  /** Deeper than any function's blocks and inlined functions. */
  private static final int MAX_DEPTH = 256;

  private static final int MAX_PROBLEMS = 16;

  /** Ranges looked at when the nearest does not hold an address. */
  private static final int NEIGHBOURS = 32;

  private final String name;
  private final Dwarf dwarf;
  private final DwarfTypeSource types;
  private final Optional<CallFrames> frames;
  private final DwarfRegisters registers;
  private final Architecture architecture;
  private final Placement placement;
  private final Supplier<LineFiles> openLineFiles;
  private Optional<LineFiles> lineFiles = Optional.empty();
  private final List<String> problems = new ArrayList<>();
  private final Map<Long, UnitCode> kept = new Kept();
  private final Map<Die, Map<Long, Die>> callSites = new HashMap<>();
  private final Map<Die, Optional<Die>> withCode = new HashMap<>();
  private final Map<Die, Boolean> repeating = new HashMap<>();
  private final Map<Long, Optional<RangeTable<Unit>>> unitsByOffset = new HashMap<>();
  private Optional<RangeTable<Long>> named = Optional.empty();
  private Optional<RangeTable<Unit>> others = Optional.empty();

  /**
   * @param name {@code dwarf}, or {@code dwarf:} and a module's name
   * @param frames the file's call frame information, for expressions that use the frame address
   * @param placement where the file is loaded
   * @param lineFiles finds out which units have code of which source files; asked once
   */
  public DwarfSource(
      String name,
      Dwarf dwarf,
      DwarfTypeSource types,
      Optional<CallFrames> frames,
      Architecture architecture,
      Placement placement,
      Supplier<LineFiles> lineFiles) {
    this.name = name;
    this.dwarf = dwarf;
    this.types = types;
    this.frames = frames;
    this.architecture = architecture;
    this.placement = placement;
    this.openLineFiles = lineFiles;
    registers = new DwarfRegisters(architecture);
  }

  private static final class Kept extends LinkedHashMap<Long, UnitCode> {
    private static final long serialVersionUID = 1L;

    Kept() {
      super(16, 0.75f, true);
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<Long, UnitCode> eldest) {
      return size() > KEPT;
    }
  }

  /** Things by the addresses that they take; they seldom overlap. */
  private record RangeTable<T>(List<Range> ranges, List<T> things) {
    static <T> RangeTable<T> of(List<Map.Entry<Range, T>> entries) {
      entries.sort(
          Comparator.comparing(
              (Map.Entry<Range, T> e) -> e.getKey().start(), Long::compareUnsigned));
      return new RangeTable<>(
          entries.stream().map(Map.Entry::getKey).toList(),
          entries.stream().map(Map.Entry::getValue).toList());
    }

    Optional<T> at(long address) {
      int low = 0;
      int high = ranges.size() - 1;
      while (low <= high) {
        int middle = (low + high) >>> 1;
        if (Long.compareUnsigned(ranges.get(middle).start(), address) <= 0) {
          low = middle + 1;
        } else {
          high = middle - 1;
        }
      }
      for (int i = high; i >= 0 && i > high - NEIGHBOURS; i--) {
        if (ranges.get(i).contains(address)) {
          return Optional.of(things.get(i));
        }
      }
      return Optional.empty();
    }
  }

  /** What is read of a unit for its addresses. */
  private final class UnitCode {
    /** With the lines: the skeleton of a split unit. */
    private final Unit unit;

    private Optional<Unit> whole = Optional.empty();
    private Optional<RangeTable<Die>> functions = Optional.empty();
    private Optional<RangeTable<Die>> inner = Optional.empty();
    private Optional<LineProgram> program = Optional.empty();
    private Optional<LineTable> lines = Optional.empty();
    private Optional<Boolean> plain = Optional.empty();

    UnitCode(Unit unit) {
      this.unit = unit;
    }

    Unit whole() {
      if (whole.isEmpty()) {
        whole = Optional.of(unit.split().orElse(unit));
      }
      return whole.get();
    }

    RangeTable<Die> functions() {
      if (functions.isEmpty()) {
        var found = new ArrayList<Map.Entry<Range, Die>>();
        collect(whole().root(), found, 0);
        functions = Optional.of(RangeTable.of(found));
      }
      return functions.get();
    }

    /**
     * The function whose code is at an address: functions within functions and in classes, as
     * lambdas and the methods of local classes are, are looked for when no other has it.
     */
    Optional<Die> functionAt(long address) {
      var found = functions().at(address);
      if (found.isEmpty() && inner.isEmpty()) {
        inner = Optional.of(RangeTable.of(InnerFunctions.of(whole())));
      }
      return found.isPresent() ? found : inner.get().at(address);
    }

    private void collect(Die parent, List<Map.Entry<Range, Die>> found, int depth) {
      for (var child = parent.firstChild(); child.isPresent(); child = child.get().next()) {
        var die = child.get();
        if (die.tag() == Tag.SUBPROGRAM) {
          if (die.has(At.LOW_PC) || die.has(At.RANGES)) {
            UnitLists.ranges(die).forEach(range -> found.add(Map.entry(range, die)));
          }
        } else if (depth < MAX_DEPTH && (die.tag() == Tag.NAMESPACE || die.tag() == Tag.MODULE)) {
          collect(die, found, depth + 1);
        }
      }
    }

    /** Whether the compiler did not optimise: variables are in place once the frame is made. */
    boolean isPlain() {
      if (plain.isEmpty()) {
        plain = Optional.of(PlainCode.is(functions().things()));
      }
      return plain.get();
    }

    Optional<LineProgram> program() {
      if (program.isEmpty()) {
        program = LineProgram.of(unit);
      }
      return program;
    }

    Optional<LineTable> lines() {
      if (lines.isEmpty()) {
        lines = program().map(LineProgram::run);
      }
      return lines;
    }

    Optional<SourceLine> line(long file, long line, long column) {
      var path =
          file < 0 || file > Integer.MAX_VALUE
              ? Optional.<String>empty()
              : program().flatMap(p -> p.path((int) file, unit.directory().orElse("")));
      return path.map(
          p ->
              new SourceLine(
                  p, Math.clamp(line, 0, Integer.MAX_VALUE), Math.clamp(column, 0, 1 << 20)));
    }

    Optional<SourceLine> line(LineTable table, int row) {
      return line(table.file(row), table.line(row), table.column(row));
    }
  }

  @Override
  public String name() {
    return name;
  }

  DwarfRegisters registers() {
    return registers;
  }

  /** The address that an address of the target, which is in the file, has there. */
  long linked(long address) {
    return placement
        .toFile(address)
        .orElseThrow(() -> new EvalException("0x" + Long.toHexString(address) + " is elsewhere"));
  }

  /** Where an address of the file is in the target. */
  long loaded(long address) {
    return placement
        .toTarget(address)
        .orElseThrow(() -> new EvalException("0x" + Long.toHexString(address) + " is not loaded"));
  }

  /** The entry of the code at an address of the target. */
  private Optional<UnitCode> codeAt(long pc) {
    var address = placement.toFile(pc);
    return address.isPresent() ? code(address.getAsLong()) : Optional.empty();
  }

  void problem(BadDataException e) {
    if (problems.size() < MAX_PROBLEMS && !problems.contains(e.getMessage())) {
      problems.add(e.getMessage());
    }
  }

  @Override
  public List<String> problems() {
    return List.copyOf(problems);
  }

  /** The unit whose code is at an address of the file. */
  private Optional<Unit> unitAt(long address) {
    if (named.isEmpty()) {
      named = Optional.of(namedByTable());
    }
    var found = named.get().at(address);
    if (found.isPresent()) {
      var unit =
          unitsByOffset.computeIfAbsent(found.get(), this::ofTable).flatMap(u -> u.at(address));
      if (unit.isPresent()) {
        return unit;
      }
      // The table is wrong, so none of it is believed.
      problem(
          new BadDataException(
              dwarf.name(),
              found.get(),
              "the table of addresses says that 0x"
                  + Long.toHexString(address)
                  + " is in this unit, which does not; it is not used"));
      named = Optional.of(RangeTable.of(new ArrayList<>()));
      others = Optional.empty();
    }
    if (others.isEmpty()) {
      others = Optional.of(ofOtherUnits(new HashSet<>(named.get().things())));
    }
    return others.get().at(address);
  }

  /** Where a unit that a table names has code, by what it says itself; empty if it is none. */
  private Optional<RangeTable<Unit>> ofTable(long offset) {
    try {
      var unit = dwarf.unitStartingAt(offset);
      var root = unit.root();
      // One that says nothing is believed to be what the table says.
      var ranges =
          root.has(At.LOW_PC) || root.has(At.RANGES)
              ? UnitLists.ranges(root)
              : List.of(new Range(0, -1));
      var found = new ArrayList<Map.Entry<Range, Unit>>();
      ranges.forEach(range -> found.add(Map.entry(range, unit)));
      return Optional.of(RangeTable.of(found));
    } catch (BadDataException e) {
      problem(e);
      return Optional.empty();
    }
  }

  /** The units' offsets by {@code .debug_aranges}, or by an index that gdb reads. */
  private RangeTable<Long> namedByTable() {
    var found = new ArrayList<Map.Entry<Range, Long>>();
    addresses().ifPresent(t -> t.entries().forEach(e -> found.add(Map.entry(e.range(), e.unit()))));
    return RangeTable.of(found);
  }

  private Optional<AddressRanges> addresses() {
    var table =
        dwarf
            .section(".debug_aranges")
            .flatMap(section -> AddressRanges.read(section, dwarf.sections().order()));
    if (table.isPresent()) {
      return table;
    }
    try {
      return dwarf.nameTables().table().flatMap(NameTable::addresses);
    } catch (BadDataException e) {
      problem(e);
      return Optional.empty();
    }
  }

  /** The units that the table does not name, by what they say themselves. */
  private RangeTable<Unit> ofOtherUnits(Set<Long> known) {
    var found = new ArrayList<Map.Entry<Range, Unit>>();
    for (var unit : dwarf.units()) {
      try {
        if ((unit.kind() == Unit.Kind.COMPILE || unit.kind() == Unit.Kind.SKELETON)
            && !known.contains(unit.offset())) {
          UnitLists.ranges(unit.root()).forEach(range -> found.add(Map.entry(range, unit)));
        }
      } catch (BadDataException e) {
        problem(e);
      }
    }
    return RangeTable.of(found);
  }

  private Optional<UnitCode> code(long address) {
    return unitAt(address).map(this::code);
  }

  private UnitCode code(Unit unit) {
    var primary = unit.skeleton().orElse(unit);
    return kept.computeIfAbsent(primary.offset(), _ -> new UnitCode(primary));
  }

  @Override
  public boolean covers(long pc) {
    try {
      return codeAt(pc).isPresent();
    } catch (BadDataException e) {
      problem(e);
      return false;
    }
  }

  @Override
  public Optional<SourceLine> line(long pc) {
    try {
      return codeAt(pc).isPresent() ? lineAt(linked(pc)) : Optional.empty();
    } catch (BadDataException e) {
      problem(e);
      return Optional.empty();
    }
  }

  /** A damaged table of lines costs the lines, and not what else is known of the code. */
  private Optional<SourceLine> lineAt(long address) {
    try {
      var code = code(address);
      var table = code.flatMap(UnitCode::lines);
      if (table.isEmpty()) {
        return Optional.empty();
      }
      var row = table.get().rowAt(address);
      return row.isPresent() ? code.get().line(table.get(), row.getAsInt()) : Optional.empty();
    } catch (BadDataException e) {
      problem(e);
      return Optional.empty();
    }
  }

  @Override
  public Optional<Range> lineRange(long pc) {
    try {
      var table = codeAt(pc).flatMap(UnitCode::lines);
      var found = table.isPresent() ? table.get().rowAt(linked(pc)) : OptionalInt.empty();
      if (found.isEmpty()) {
        return Optional.empty();
      }
      var lines = table.get();
      int first = found.getAsInt();
      while (first > 0 && !lines.endSequence(first - 1) && same(lines, first - 1, first)) {
        first--;
      }
      int last = found.getAsInt();
      while (!lines.endSequence(last + 1) && same(lines, last + 1, last)) {
        last++;
      }
      return Optional.of(new Range(loaded(lines.address(first)), loaded(lines.end(last))));
    } catch (BadDataException e) {
      problem(e);
      return Optional.empty();
    }
  }

  @Override
  public boolean beginsStatement(long pc) {
    try {
      var table = codeAt(pc).flatMap(UnitCode::lines);
      return table.isPresent() && table.get().isStatement(linked(pc));
    } catch (BadDataException e) {
      problem(e);
      return false;
    }
  }

  /**
   * As gdb skips a prologue by lines: its end if the compiler marked it, else where the second
   * entry of the line table begins, which gcc makes behind the prologue even when the line is the
   * same.
   */
  @Override
  public long body(long entry) {
    try {
      var code = codeAt(entry);
      var function = function(entry);
      if (function.isEmpty()
          || entryOf(function.get()) != linked(entry)
          || !code.orElseThrow().isPlain()) {
        return entry;
      }
      var lines = code.get().lines();
      var first = lines.isPresent() ? lines.get().rowAt(linked(entry)) : OptionalInt.empty();
      if (first.isEmpty()) {
        return entry;
      }
      var ranges = UnitLists.ranges(function.get());
      var second = OptionalLong.empty();
      for (int row = first.getAsInt() + 1; row < lines.get().size(); row++) {
        long address = lines.get().address(row);
        if (lines.get().endSequence(row) || ranges.stream().noneMatch(r -> r.contains(address))) {
          break;
        }
        if (lines.get().prologueEnd(row)) {
          return loaded(address);
        }
        if (second.isEmpty() && address != linked(entry)) {
          second = OptionalLong.of(address);
        }
      }
      return second.isPresent() ? loaded(second.getAsLong()) : entry;
    } catch (BadDataException e) {
      problem(e);
      return entry;
    }
  }

  private static boolean same(LineTable lines, int a, int b) {
    return lines.line(a) == lines.line(b) && lines.file(a) == lines.file(b);
  }

  /** The function, not one inlined into it, that the code at {@code pc} belongs to. */
  Optional<Die> function(long pc) {
    return codeAt(pc).flatMap(code -> code.functionAt(linked(pc)));
  }

  /** A function at work: its entry, and the blocks in it that are in scope, outermost first. */
  private record AtWork(Die die, List<Die> blocks) {}

  @Override
  public List<Activation> activations(long pc) {
    try {
      var function = function(pc);
      return function.isPresent() ? activations(function.get(), linked(pc)) : List.of();
    } catch (BadDataException e) {
      problem(e);
      return List.of();
    }
  }

  private List<Activation> activations(Die function, long address) {
    var chain = new ArrayList<AtWork>();
    chain.add(new AtWork(function, new ArrayList<>(List.of(function))));
    var at = Optional.of(function);
    for (int depth = 0; at.isPresent(); depth++) {
      if (depth > MAX_DEPTH) {
        throw function.unit().bad(function.offset(), "blocks nest deeper than " + MAX_DEPTH);
      }
      at = inner(at.get(), address);
      if (at.isPresent()) {
        var die = at.get();
        if (die.tag() == Tag.INLINED_SUBROUTINE) {
          chain.add(new AtWork(die, new ArrayList<>(List.of(die))));
        } else {
          chain.getLast().blocks().add(die);
        }
      }
    }
    var found = new ArrayList<Activation>();
    for (int i = chain.size() - 1; i >= 0; i--) {
      var line = i == chain.size() - 1 ? lineAt(address) : calledFrom(chain.get(i + 1).die());
      found.add(
          new DwarfActivation(
              this, chain.get(i).die(), chain.get(i).blocks(), function, line, i > 0));
    }
    return found;
  }

  /** The block or inlined function in {@code parent} that holds an address. */
  private static Optional<Die> inner(Die parent, long address) {
    for (var child = parent.firstChild(); child.isPresent(); child = child.get().next()) {
      var die = child.get();
      switch (die.tag()) {
        case Tag.INLINED_SUBROUTINE, Tag.LEXICAL_BLOCK, Tag.TRY_BLOCK, Tag.CATCH_BLOCK -> {
          for (var range : UnitLists.ranges(die)) {
            if (range.contains(address)) {
              return child;
            }
          }
        }
        default -> {}
      }
    }
    return Optional.empty();
  }

  private Optional<SourceLine> calledFrom(Die inlined) {
    try {
      return code(inlined.unit())
          .line(
              inlined.number(At.CALL_FILE).orElse(-1),
              inlined.number(At.CALL_LINE).orElse(0),
              inlined.number(At.CALL_COLUMN).orElse(0));
    } catch (BadDataException e) {
      problem(e);
      return Optional.empty();
    }
  }

  /** Where something is declared. */
  Optional<SourceLine> declared(Die die) {
    try {
      var owner = die.owner(At.DECL_LINE);
      return owner.flatMap(
          d ->
              code(d.unit())
                  .line(
                      d.owner(At.DECL_FILE).map(f -> f.number(At.DECL_FILE).orElse(-1)).orElse(-1L),
                      d.number(At.DECL_LINE).orElse(0),
                      d.number(At.DECL_COLUMN).orElse(0)));
    } catch (BadDataException e) {
      problem(e);
      return Optional.empty();
    }
  }

  /** What a function takes and returns. */
  CType functionType(Die die) {
    return types.type(die.withOrigins().getLast());
  }

  /** The type that an entry, or the one that it completes, names; void without one. */
  CType typeOf(Die die) {
    var target = die.owner(At.TYPE).flatMap(owner -> owner.reference(At.TYPE));
    return target.isPresent() ? types.type(target.get()) : VoidType.VOID;
  }

  /**
   * The name of an entry with the namespaces and classes that it is in; of what only a compiler
   * needs, such as a thunk, that of its symbol.
   */
  Optional<String> nameOf(Die die) {
    return types.nameOf(die).or(() -> linkageName(die));
  }

  /** The name of a symbol of C++ that an entry tells, as people write it. */
  static Optional<String> linkageName(Die die) {
    return die.owner(At.LINKAGE_NAME)
        .flatMap(owner -> owner.string(At.LINKAGE_NAME))
        .flatMap(Demangler::demangle);
  }

  /** The variable at a fixed place that a function's unit has outside of functions. */
  Optional<Die> ofUnit(Die function, String variable) {
    return types.ofUnit(function.unit(), variable);
  }

  @Override
  public List<Long> tailCalls(long callee, long back) {
    try {
      var at = function(callee);
      var site = function(back - 1).flatMap(caller -> callSite(caller, back));
      return at.isEmpty() || site.isEmpty()
          ? List.of()
          : TailCalls.between(this, site.get(), at.get()).stream().map(this::loaded).toList();
    } catch (BadDataException e) {
      problem(e);
      return List.of();
    }
  }

  /**
   * The entry of a function that has its code, for any of its entries; empty where none is sure.
   */
  Optional<Die> code(Die entry) {
    if (withCode.size() > KEPT_ENTRIES) {
      withCode.clear();
    }
    var found = withCode.get(entry);
    if (found == null) {
      found = UnitLists.ranges(entry).isEmpty() ? codeByName(entry) : Optional.of(entry);
      withCode.put(entry, found);
    }
    return found;
  }

  private Optional<Die> codeByName(Die entry) {
    var named = types.nameOf(entry).map(this::functionsNamed).orElse(List.of());
    var places = new LinkedHashMap<Long, Die>();
    for (var die : named) {
      if (same(die, entry) && !UnitLists.ranges(die).isEmpty()) {
        // A copy that the linker left out has no place, or that of something else.
        var place = placed(entryOf(die));
        if (place.isPresent()) {
          function(place.getAsLong())
              .filter(at -> same(at, entry))
              .ifPresent(at -> places.putIfAbsent(place.getAsLong(), at));
        }
      }
    }
    return places.size() == 1 ? Optional.of(places.values().iterator().next()) : Optional.empty();
  }

  /**
   * Whether a function may be at work again without having been called: what its caller passed is
   * then not what it was entered with.
   */
  boolean mayRepeat(Die function) {
    if (repeating.size() > KEPT_ENTRIES) {
      repeating.clear();
    }
    var found = repeating.get(function);
    if (found == null) {
      found = TailCalls.mayRepeat(this, function);
      repeating.put(function, found);
    }
    return found;
  }

  /** The call in a function that returns to {@code pc}. */
  Optional<Die> callSite(Die function, long pc) {
    return Optional.ofNullable(callSites(function).get(linked(pc - 1) + 1));
  }

  /** The calls in a function, by the addresses behind them in the file. */
  Map<Long, Die> callSites(Die function) {
    if (callSites.size() > KEPT) {
      callSites.clear();
    }
    var sites = callSites.get(function);
    if (sites == null) {
      sites = new HashMap<>();
      collectSites(function, sites, 0);
      callSites.put(function, sites);
    }
    return sites;
  }

  private static void collectSites(Die parent, Map<Long, Die> sites, int depth) {
    for (var child = parent.firstChild(); child.isPresent(); child = child.get().next()) {
      var die = child.get();
      switch (die.tag()) {
        case Tag.CALL_SITE, Tag.GNU_CALL_SITE -> {
          var back = die.address(At.CALL_RETURN_PC);
          if (back.isEmpty()) {
            back = die.address(At.LOW_PC);
          }
          back.ifPresent(address -> sites.put(address, die));
        }
        case Tag.INLINED_SUBROUTINE, Tag.LEXICAL_BLOCK, Tag.TRY_BLOCK, Tag.CATCH_BLOCK -> {
          if (depth < MAX_DEPTH) {
            collectSites(die, sites, depth + 1);
          }
        }
        default -> {}
      }
    }
  }

  /**
   * Whether two entries are of one function: of different units where it is known outside of its
   * own, by the names of their symbols or else by their names in full.
   */
  boolean same(Die a, Die b) {
    var first = a.withOrigins().getLast();
    var second = b.withOrigins().getLast();
    if (first.equals(second)) {
      return true;
    }
    if (!(isExternal(a) && isExternal(b)) && !isOfOneUnit(first, second)) {
      return false;
    }
    var symbol = symbolOf(first);
    var other = symbolOf(second);
    if (symbol.isPresent() && other.isPresent()) {
      return symbol.equals(other);
    }
    var name = types.nameOf(first);
    return name.isPresent() && name.equals(types.nameOf(second));
  }

  private static boolean isExternal(Die function) {
    return function.owner(At.EXTERNAL).filter(owner -> owner.flag(At.EXTERNAL)).isPresent();
  }

  private static boolean isOfOneUnit(Die a, Die b) {
    return a.unit().offset() == b.unit().offset() && a.unit().dwarf().equals(b.unit().dwarf());
  }

  private static Optional<String> symbolOf(Die function) {
    return function.string(At.LINKAGE_NAME).or(() -> function.string(At.MIPS_LINKAGE_NAME));
  }

  /** The canonical frame address of a frame. */
  long cfa(FrameView view) {
    var frame = view.frame();
    if (frames.isPresent()) {
      var row = frames.get().rowAt(linked(frame.lookup()));
      if (row.isPresent()
          && row.get().cfa() instanceof CfiRow.Cfa.RegisterOffset(int number, long offset)) {
        var base = registers.of(number).map(r -> frame.registers().get(r));
        if (base.isPresent() && base.get().isPresent()) {
          return base.get().getAsLong() + offset;
        }
      }
    }
    if (view.caller().isEmpty()) {
      throw new EvalException("the end of its frame is not known");
    }
    return frame.cfa();
  }

  @Override
  public List<FunctionCode> functions(String function, int limit) {
    boolean listed = function.endsWith(")") || function.endsWith(" const");
    int open = listed && !function.endsWith("operator()") ? CxxNames.parameters(function) : -1;
    try {
      return open > 0
          ? new FunctionSearch(this, limit)
              .find(function.substring(0, open), Optional.of(function.substring(open)))
          : new FunctionSearch(this, limit).find(function, Optional.empty());
    } catch (BadDataException e) {
      problem(e);
      return List.of();
    }
  }

  /** The entries of functions of a qualified name, those with code and those that were inlined. */
  List<Die> functionsNamed(String qualified) {
    return types.functions(qualified);
  }

  /** The units that probably have code of a source file. */
  List<Unit> unitsOf(String file) {
    if (lineFiles.isEmpty()) {
      lineFiles = Optional.of(openLineFiles.get());
    }
    return lineFiles.get().units(file);
  }

  /** The entries of a unit's functions that have code. */
  List<Die> functionsOf(Unit unit) {
    return code(unit).functions().things();
  }

  /** Where an address of the file is in the target; empty where it is not loaded. */
  OptionalLong placed(long address) {
    return placement.toTarget(address);
  }

  @Override
  public List<Place> places(String file, int line) {
    var search = new LineSearch(file, line);
    try {
      unitsOf(file).forEach(search::look);
    } catch (BadDataException e) {
      problem(e);
    }
    return search.found.values().stream()
        .sorted(Comparator.comparing(Place::address, Long::compareUnsigned))
        .toList();
  }

  /** Looks for where the nearest line from a given one on begins, one unit after the other. */
  private final class LineSearch {
    private final String file;
    private final int wanted;

    /** The nearest line so far, and its place in each function. */
    private int nearest = Integer.MAX_VALUE;

    private final Map<String, Place> found = new LinkedHashMap<>();

    LineSearch(String file, int wanted) {
      this.file = file;
      this.wanted = wanted;
    }

    void look(Unit unit) {
      try {
        var code = code(unit);
        var files = code.program().isPresent() ? numbers(code, file) : new BitSet();
        if (!files.isEmpty() && code.lines().isPresent()) {
          look(code.lines().get(), files);
        }
      } catch (BadDataException e) {
        problem(e);
      }
    }

    private void look(LineTable lines, BitSet files) {
      var addresses = new ArrayList<Long>();
      int best = nearest;
      for (var sequence : lines.sequences()) {
        if (placement.toTarget(sequence.start()).isEmpty()) {
          continue; // In a section that is no longer there, such as a module's initialisation.
        }
        int before = -1;
        for (int row = sequence.first(); row < sequence.last(); row++) {
          int line = lines.line(row);
          boolean hit = line >= wanted && line <= best && files.get(lines.file(row));
          if (hit && lines.isStmt(row) && line != before) {
            if (line < best) {
              addresses.clear();
              best = line;
            }
            addresses.add(lines.address(row));
          }
          before = hit ? line : -1;
        }
      }
      if (addresses.isEmpty()) {
        return;
      }
      if (best < nearest) {
        found.clear();
        nearest = best;
      }
      addresses.forEach(this::add);
    }

    private void add(long address) {
      if (placement.toTarget(address).isEmpty()) {
        return;
      }
      var activations = activations(loaded(address));
      var at = line(loaded(address));
      if (at.isEmpty()) {
        return;
      }
      var function = activations.isEmpty() ? "" : activations.getFirst().function();
      long entry = activations.isEmpty() ? address : activations.getFirst().entry();
      found.merge(
          Long.toHexString(entry) + function,
          new Place(
              loaded(address),
              new SourceLine(at.get().path(), nearest, at.get().column()),
              function),
          (a, b) -> Long.compareUnsigned(a.address(), b.address()) <= 0 ? a : b);
    }
  }

  private static boolean names(String path, String wanted) {
    return path.equals(wanted) || path.endsWith("/" + wanted);
  }

  private static BitSet numbers(UnitCode code, String file) {
    var found = new BitSet();
    var program = code.program().orElseThrow();
    var last = file.substring(file.lastIndexOf('/') + 1);
    var directory = code.unit.directory().orElse("");
    for (int i = 0; i < program.files().size(); i++) {
      if (program.files().get(i).name().endsWith(last)
          && program.path(i, directory).map(p -> names(p, file)).orElse(false)) {
        found.set(i);
      }
    }
    return found;
  }

  /** The architecture of the code. */
  public Architecture architecture() {
    return architecture;
  }

  /** The first address of an entry's code, as linked. */
  long entryOf(Die die) {
    var entry = die.attribute(At.ENTRY_PC);
    if (entry.isPresent() && !entry.get().isConstant()) {
      return die.unit().address(entry.get());
    }
    var ranges = UnitLists.ranges(die);
    if (ranges.isEmpty()) {
      throw die.unit().bad(die.offset(), "function without code");
    }
    return ranges.getFirst().start();
  }
}
