// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * The DWARF of one file: its units, and the tables that their values lead to. Opening reads
 * nothing; the units' headers are read when first asked for, all else on access. May be used by
 * several threads.
 */
public final class Dwarf {
  private final DwarfSections sections;

  /** Empty, or {@code .dwo} for the sections of split units. */
  private final String suffix;

  /** Of a {@code .dwo} file: whose it is. */
  private final Optional<Unit> skeleton;

  private final Map<String, Optional<ByteSource>> found = new ConcurrentHashMap<>();
  private final Map<String, Abbreviations> abbreviations = new ConcurrentHashMap<>();
  private final Map<Long, Unit> packaged = new ConcurrentHashMap<>();
  private final Once<Units> units = new Once<>(this::readUnits);
  private final Once<Map<Long, Unit>> typeUnits = new Once<>(this::readTypeUnits);
  private final Once<Optional<Dwarf>> supplementary = new Once<>(this::openSupplementary);
  private final Once<NameTables> nameTables = new Once<>(() -> NameTables.of(this));
  private final Once<Optional<Dwarf>> splitPackage = new Once<>(this::openPackage);
  private final Once<List<SplitPart>> splitParts = new Once<>(this::findSplitParts);
  private final Once<Optional<PackageIndex>> unitIndex =
      new Once<>(() -> packageIndex(".debug_cu_index"));
  private final Once<Optional<PackageIndex>> typeIndex =
      new Once<>(() -> packageIndex(".debug_tu_index"));

  private Dwarf(DwarfSections sections, String suffix, Optional<Unit> skeleton) {
    this.sections = sections;
    this.suffix = suffix;
    this.skeleton = skeleton;
  }

  /** The DWARF of an object, executable or debug file. */
  public static Dwarf open(DwarfSections sections) {
    return new Dwarf(sections, "", Optional.empty());
  }

  /** The units whose headers could be read, and what was wrong with others. */
  private record Units(List<Unit> info, List<Unit> types, List<BadDataException> problems) {}

  /** Something that is computed once, by whichever thread asks first. */
  private static final class Once<T> {
    private final Supplier<T> supplier;
    private volatile T value;

    Once(Supplier<T> supplier) {
      this.supplier = supplier;
    }

    T get() {
      T known = value;
      if (known == null) {
        synchronized (this) {
          known = value;
          if (known == null) {
            known = supplier.get();
            value = known;
          }
        }
      }
      return known;
    }
  }

  public DwarfSections sections() {
    return sections;
  }

  /** The file's name for messages. */
  public String name() {
    return sections.name();
  }

  /**
   * A section by its usual name, such as {@code .debug_loclists}; of a {@code .dwo} or package file
   * the one called {@code .debug_loclists.dwo}.
   */
  public Optional<ByteSource> section(String usualName) {
    return raw(usualName + suffix);
  }

  /**
   * A section that is there, as {@link #section} finds it.
   *
   * @throws BadDataException when it is not
   */
  public ByteSource need(String usualName, Unit user) {
    return section(usualName)
        .orElseThrow(
            () ->
                user.bad(
                    user.offset(), "unit needs " + usualName + suffix + ", which is not there"));
  }

  private Optional<ByteSource> raw(String name) {
    var known = found.get(name);
    if (known == null) {
      known = sections.find(name);
      found.put(name, known);
    }
    return known;
  }

  /**
   * All units in the order of {@code .debug_info} and then {@code .debug_types}; headers only. A
   * unit whose header is damaged or of an unknown version is left out; {@link #problems} has it. Of
   * a package file: none, since its units are found through the skeletons.
   */
  public List<Unit> units() {
    var all = new ArrayList<Unit>(units.get().info());
    all.addAll(units.get().types());
    return all;
  }

  /** Whether some of it is in other files: in {@code .dwo} files, a package or a supplementary. */
  public boolean isInParts() {
    // What the other files have of addresses is an index into this one's.
    return supplementary().isPresent()
        || (section(".debug_addr").isPresent()
            && units().stream().anyMatch(unit -> unit.splitId().isPresent()));
  }

  /** What was wrong with the units that {@link #units} leaves out. */
  public List<BadDataException> problems() {
    return units.get().problems();
  }

  private Units readUnits() {
    var problems = new ArrayList<BadDataException>();
    if (unitIndex.get().isPresent()) {
      return new Units(List.of(), List.of(), problems);
    }
    return new Units(
        read(section(".debug_info"), false, problems),
        read(section(".debug_types"), true, problems),
        problems);
  }

  private List<Unit> read(
      Optional<ByteSource> section, boolean types, List<BadDataException> problems) {
    var list = new ArrayList<Unit>();
    if (section.isEmpty()) {
      return list;
    }
    long at = 0;
    while (at < section.get().size()) {
      long end;
      try {
        end = UnitHeader.end(section.get(), at, sections.order());
      } catch (BadDataException e) {
        problems.add(e); // where the next unit is cannot be told
        break;
      }
      try {
        var header = UnitHeader.read(section.get(), at, sections.order(), types);
        list.add(new Unit(this, header, Contributions.NONE, skeleton));
      } catch (BadDataException e) {
        problems.add(e);
      }
      at = end;
    }
    return list;
  }

  /**
   * The unit of {@code .debug_info} that begins at an offset, without reading the others' headers.
   *
   * @throws BadDataException when none can begin there
   */
  public Unit unitStartingAt(long offset) {
    return startingAt(".debug_info", offset, false);
  }

  /** As {@link #unitStartingAt}, in {@code .debug_types}. */
  Unit typesUnitStartingAt(long offset) {
    return startingAt(".debug_types", offset, true);
  }

  private Unit startingAt(String usualName, long offset, boolean types) {
    var section =
        section(usualName)
            .orElseThrow(() -> new BadDataException(name(), offset, "no " + usualName + suffix));
    var header = UnitHeader.read(section, offset, sections.order(), types);
    return new Unit(this, header, Contributions.NONE, skeleton);
  }

  /** The unit of {@code .debug_info} in which an offset lies. */
  public Optional<Unit> unitAt(long offset) {
    var list = units.get().info();
    int low = 0;
    int high = list.size() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      Unit unit = list.get(middle);
      if (offset < unit.offset()) {
        high = middle - 1;
      } else if (offset >= unit.end()) {
        low = middle + 1;
      } else {
        return Optional.of(unit);
      }
    }
    return Optional.empty();
  }

  /**
   * The entry at an offset in {@code .debug_info}.
   *
   * @throws BadDataException when there is none
   */
  public Die die(long offset) {
    return unitAt(offset)
        .orElseThrow(
            () ->
                new BadDataException(
                    section(".debug_info").map(ByteSource::name).orElse(name()),
                    offset,
                    "no unit with an entry there"))
        .die(offset);
  }

  private Map<Long, Unit> readTypeUnits() {
    var map = new HashMap<Long, Unit>();
    for (var unit : units()) {
      unit.typeSignature().ifPresent(signature -> map.putIfAbsent(signature, unit));
    }
    return map;
  }

  /**
   * The type units of the {@code .dwo} and package files, each once, by the unit of this file that
   * leads there first. Where these cannot be read there are none.
   */
  Map<Unit, List<Unit>> splitTypeUnits() {
    var found = new LinkedHashMap<Unit, List<Unit>>();
    var seen = new HashSet<Long>();
    boolean packageSeen = false;
    for (var unit : units()) {
      try {
        var split = unit.split();
        if (split.isEmpty()) {
          continue;
        }
        var file = split.get().dwarf();
        var types = new ArrayList<Unit>();
        if (file.unitIndex.get().isEmpty()) {
          for (var type : file.units()) {
            if (type.typeSignature().isPresent() && seen.add(type.typeSignature().getAsLong())) {
              types.add(type);
            }
          }
        } else if (!packageSeen) {
          packageSeen = true;
          types.addAll(file.packagedTypes(seen));
        }
        if (!types.isEmpty()) {
          found.put(unit, types);
        }
      } catch (BadDataException e) {
        continue; // Whoever reads the unit is told.
      }
    }
    return found;
  }

  private List<Unit> packagedTypes(Set<Long> seen) {
    var types = new ArrayList<Unit>();
    var index = typeIndex.get();
    for (long slot = 0; index.isPresent() && slot < index.get().slots(); slot++) {
      index
          .get()
          .slot(slot)
          .filter(row -> seen.add(row.signature()))
          .ifPresent(row -> types.add(packagedType(index.get(), row.contributions())));
    }
    return types;
  }

  /** The type unit with a signature, in this file or, of a split unit, in its package. */
  public Optional<Unit> typeUnit(long signature) {
    var own = typeUnits.get().get(signature);
    if (own != null) {
      return Optional.of(own);
    }
    return typeIndex.get().flatMap(index -> index.find(signature).map(c -> packagedType(index, c)));
  }

  Unit typeUnit(long signature, Unit user) {
    return typeUnit(signature)
        .or(() -> user.skeleton().flatMap(s -> s.dwarf().typeUnit(signature)))
        .orElseThrow(
            () ->
                user.bad(
                    user.offset(),
                    "no type unit has the signature 0x" + Long.toHexString(signature)));
  }

  /** The file's own table of names, checked when first asked for. */
  public NameTables nameTables() {
    return nameTables.get();
  }

  /** The supplementary file, when there is one and it was found. */
  public Optional<Dwarf> supplementary() {
    return supplementary.get();
  }

  private Optional<Dwarf> openSupplementary() {
    return sections.supplementary().map(Dwarf::open);
  }

  Dwarf needSupplementary(Unit user) {
    return supplementary()
        .or(() -> user.skeleton().flatMap(s -> s.dwarf().supplementary()))
        .orElseThrow(
            () ->
                user.bad(
                    user.offset(), "unit needs the file's supplementary file, which is not there"));
  }

  private Optional<Dwarf> openPackage() {
    return sections.splitPackage().map(s -> new Dwarf(s, ".dwo", Optional.empty()));
  }

  private Optional<PackageIndex> packageIndex(String name) {
    return suffix.isEmpty()
        ? Optional.empty()
        : raw(name).map(section -> PackageIndex.read(section, sections.order()));
  }

  /**
   * The package file, if there is one, and each {@code .dwo} file of a unit that is not in it,
   * whether it is there or not. Nothing of the {@code .dwo} files is read.
   */
  public List<SplitPart> splitParts() {
    return splitParts.get();
  }

  private List<SplitPart> findSplitParts() {
    var parts = new ArrayList<SplitPart>();
    // What the other files have of addresses is an index into this one's.
    if (section(".debug_addr").isEmpty()) {
      return parts;
    }
    sections
        .splitPackageStamp()
        .ifPresent(stamp -> parts.add(new SplitPart(stamp.path(), Optional.of(stamp))));
    for (var unit : units()) {
      try {
        var id = unit.splitId();
        var name = splitName(unit);
        if (id.isPresent() && name.isPresent() && !isPackaged(id.getAsLong())) {
          parts.add(
              new SplitPart(
                  name.get(), sections.splitStamp(name.get(), unit.directory().orElse(""))));
        }
      } catch (BadDataException e) {
        continue; // Whoever reads the unit is told.
      }
    }
    return List.copyOf(parts);
  }

  private boolean isPackaged(long id) {
    return splitPackage
        .get()
        .flatMap(p -> p.unitIndex.get())
        .flatMap(index -> index.find(id))
        .isPresent();
  }

  private static Optional<String> splitName(Unit unit) {
    var root = unit.root();
    return root.string(At.DWO_NAME).or(() -> root.string(At.GNU_DWO_NAME));
  }

  /** See {@link Unit#split}. */
  Optional<Unit> findSplit(Unit unit) {
    if (!suffix.isEmpty() || (unit.kind() != Unit.Kind.SKELETON && unit.version() >= 5)) {
      return Optional.empty();
    }
    var name = splitName(unit);
    OptionalLong id = unit.splitId();
    if (name.isEmpty() || id.isEmpty()) {
      return Optional.empty();
    }
    var inPackage =
        splitPackage
            .get()
            .flatMap(p -> p.unitIndex.get().flatMap(i -> p.packagedUnit(i, id.getAsLong(), unit)));
    if (inPackage.isPresent()) {
      return inPackage;
    }
    return sections
        .split(name.get(), unit.directory().orElse(""), id.getAsLong())
        .map(s -> new Dwarf(s, ".dwo", Optional.of(unit)).splitUnit(id.getAsLong()));
  }

  /** The one unit of a {@code .dwo} file that is no type unit. */
  private Unit splitUnit(long id) {
    for (var unit : units()) {
      var own = unit.typeSignature().isPresent() ? OptionalLong.empty() : unit.splitId();
      if (own.isPresent() && own.getAsLong() == id) {
        return unit;
      }
    }
    throw new BadDataException(
        name(),
        0,
        "no unit has the id 0x" + Long.toHexString(id) + "; the file is of another build");
  }

  private Optional<Unit> packagedUnit(PackageIndex index, long id, Unit skeletonUnit) {
    return index.find(id).map(c -> packaged(".debug_info", c, false, Optional.of(skeletonUnit)));
  }

  private Unit packagedType(PackageIndex index, Contributions contributions) {
    boolean old = index.version() == 2;
    return packaged.computeIfAbsent(
        contributions.info(),
        _ -> packaged(old ? ".debug_types" : ".debug_info", contributions, old, Optional.empty()));
  }

  private Unit packaged(
      String usualName, Contributions contributions, boolean types, Optional<Unit> owner) {
    var section =
        section(usualName)
            .orElseThrow(() -> new BadDataException(name(), 0, "no " + usualName + suffix));
    var header = UnitHeader.read(section, contributions.info(), sections.order(), types);
    return new Unit(this, header, contributions, owner);
  }

  Abbreviations abbreviations(long offset, Unit user) {
    var section = need(".debug_abbrev", user);
    var key = Long.toHexString(offset);
    var known = abbreviations.get(key);
    if (known == null) {
      known = Abbreviations.read(section, offset, sections.order());
      abbreviations.put(key, known);
    }
    return known;
  }

  /** See {@link Unit#string}. */
  String string(Unit unit, FormValue value) {
    return switch (value.form()) {
      case Form.STRING -> text(unit.section(), value.value(), unit);
      case Form.STRP -> text(need(".debug_str", unit), value.value(), unit);
      case Form.LINE_STRP -> text(needLineStrings(unit), value.value(), unit);
      case Form.STRX, Form.STRX1, Form.STRX2, Form.STRX3, Form.STRX4, Form.GNU_STR_INDEX ->
          text(need(".debug_str", unit), stringOffset(unit, value.value()), unit);
      case Form.STRP_SUP, Form.GNU_STRP_ALT ->
          text(needSupplementary(unit).need(".debug_str", unit), value.value(), unit);
      default -> throw unit.bad(unit.offset(), Unit.formText(value) + " is no string");
    };
  }

  private ByteSource needLineStrings(Unit unit) {
    return raw(".debug_line_str" + suffix)
        .or(() -> raw(".debug_line_str"))
        .orElseThrow(
            () -> unit.bad(unit.offset(), "unit needs .debug_line_str, which is not there"));
  }

  private long stringOffset(Unit unit, long index) {
    ByteSource table = need(".debug_str_offsets", unit);
    long base = unit.strOffsetsBase();
    int size = unit.offsetSize();
    if (index < 0 || base < 0 || index > (table.size() - base) / size) {
      throw new BadDataException(
          table.name(), base, "string index " + Long.toUnsignedString(index) + " is outside");
    }
    return Forms.number(table.cursor(base + index * size, sections.order()), size);
  }

  private static String text(ByteSource section, long offset, Unit user) {
    if (offset < 0 || offset >= section.size()) {
      throw new BadDataException(
          section.name(),
          offset,
          "string of the unit at 0x"
              + Long.toHexString(user.offset())
              + " is outside of the section, which ends at 0x"
              + Long.toHexString(section.size()));
    }
    return section.cursor(offset, user.encoding().order()).cString(Forms.MAX_STRING);
  }
}
