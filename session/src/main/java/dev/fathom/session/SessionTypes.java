// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session;

import dev.fathom.base.BadDataException;
import dev.fathom.base.FathomException;
import dev.fathom.format.dwarf.Dwarf;
import dev.fathom.model.Image;
import dev.fathom.model.Symbol;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSource;
import dev.fathom.symbols.dwarf.DwarfTypeSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The types in the debug files of the kernel, or of its modules, in the kernel's chain of types. No
 * file is looked for before a type is asked for that the sources before it do not have. Of a
 * process the program is what the kernel is, and its libraries what modules are.
 */
final class SessionTypes implements TypeSource {
  static final String KERNEL = "dwarf";
  static final String MODULES = "dwarf of modules";
  private static final String PROGRAM = "dwarf of the program's debug file";
  private static final int MOST_KNOWN = 4096;
  private static final String LIBRARIES = "dwarf of libraries' debug files";

  private final Session session;
  private final String name;
  private final boolean modules;
  private final boolean readByKernel;
  private final Map<Image, Boolean> describesItself = new HashMap<>();
  private boolean looking;

  /**
   * @param readByKernel whether the kernel reads the DWARF in its objects itself
   */
  private SessionTypes(Session session, String name, boolean modules, boolean readByKernel) {
    this.session = session;
    this.name = name;
    this.modules = modules;
    this.readByKernel = readByKernel;
  }

  /**
   * Puts them behind the sources of a kernel; behind its objects' own DWARF, where it reads that
   * itself. One that has no types is told those of its debug file: it lists neither tasks nor
   * modules without. Names that stripped objects lost are those of their debug files.
   */
  static void join(Session session) {
    var kernel = session.kernel();
    kernel.debugFiles(session.debugFiles()::elf);
    if (!kernel.hasTypes()) {
      kernel
          .image()
          .flatMap(session.debugFiles()::described)
          .ifPresent(described -> kernel.describe(described.types()));
    }
    var types = session.kernel().program().types();
    if (types.known().stream().noneMatch(SessionTypes.class::isInstance)) {
      boolean objects = types.known().stream().anyMatch(source -> source.name().equals(KERNEL));
      types.add(new SessionTypes(session, objects ? PROGRAM : KERNEL, false, objects));
      types.add(new SessionTypes(session, objects ? LIBRARIES : MODULES, true, objects));
    }
  }

  /**
   * Those that are asked. To list modules takes types, those of this source too: while it looks, it
   * has none.
   */
  private List<Image> images() {
    if (looking) {
      return List.of();
    }
    looking = true;
    try {
      return modules
          ? session.kernel().images().stream().skip(1).toList()
          : session.kernel().image().stream().toList();
    } catch (FathomException _) {
      return List.of(); // Whoever lists the modules is told.
    } finally {
      looking = false;
    }
  }

  private Stream<DwarfTypeSource> of(List<Image> images) {
    return images.stream()
        .map(this::described)
        .flatMap(Optional::stream)
        .map(SessionDebugFiles.Described::types);
  }

  private Optional<SessionDebugFiles.Described> described(Image image) {
    boolean outer = looking;
    looking = true; // The release that files are filed under is read from the kernel.
    try {
      return outer || isOwn(image) ? Optional.empty() : session.debugFiles().described(image);
    } finally {
      looking = outer;
    }
  }

  /**
   * Whether an object describes itself, without other files: what is in it has been asked already.
   */
  private boolean isOwn(Image image) {
    if (!readByKernel) {
      return false;
    }
    var known = describesItself.get(image);
    if (known == null) {
      var own = session.kernel().file(image);
      known =
          own.isPresent()
              && session.debugFiles().find(image).found().equals(own)
              && session.debugFiles().described(image).filter(d -> isInParts(d.dwarf())).isEmpty();
      if (describesItself.size() == MOST_KNOWN) {
        describesItself.clear(); // Libraries came and went.
      }
      describesItself.put(image, known);
    }
    return known;
  }

  private static boolean isInParts(Dwarf dwarf) {
    try {
      return dwarf.isInParts();
    } catch (BadDataException _) {
      return false; // Whoever reads it is told.
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Optional<CType> find(TypeName wanted) {
    Optional<CType> declared = Optional.empty();
    for (var source : of(images()).toList()) {
      var found = source.find(wanted);
      if (found.isPresent() && !(found.get() instanceof OpaqueType)) {
        return found;
      }
      declared = declared.isEmpty() ? found : declared;
    }
    return declared;
  }

  @Override
  public boolean isValue(String value) {
    return !modules && of(images()).anyMatch(source -> source.isValue(value));
  }

  /** Of modules, only those are asked that have a symbol of that name. */
  @Override
  public Optional<CType> ofSymbol(String symbol) {
    var asked = images();
    if (modules) {
      var having =
          session.kernel().program().symbols().named(symbol).stream()
              .map(Symbol::module)
              .collect(Collectors.toSet());
      asked = asked.stream().filter(image -> having.contains(image.name())).toList();
    }
    return of(asked).map(source -> source.ofSymbol(symbol)).flatMap(Optional::stream).findFirst();
  }

  @Override
  public Optional<CType> ofSymbol(String symbol, long address) {
    for (var image : images()) {
      boolean holds = image.ranges().stream().anyMatch(range -> range.contains(address));
      var described = holds ? described(image) : Optional.<SessionDebugFiles.Described>empty();
      if (described.isPresent()) {
        var linked = session.debugSources().linked(image, described.get().file(), address);
        return linked.isPresent()
            ? described.get().types().ofLinked(symbol, linked.getAsLong())
            : described.get().types().ofSymbol(symbol);
      }
    }
    return Optional.empty(); // What others call so is another variable.
  }

  @Override
  public List<Placed> placed(String variable) {
    var found = new ArrayList<Placed>();
    if (!variable.contains("::")) {
      return found; // A kernel's symbols have the names of its variables.
    }
    for (var image : images()) {
      var described = described(image);
      if (described.isPresent()) {
        for (var fixed : described.get().types().fixed(variable)) {
          var at =
              session
                  .debugSources()
                  .loaded(image, described.get().file(), fixed.address().orElseThrow());
          if (at.isPresent()) {
            found.add(new Placed(fixed.type(), at.getAsLong()));
          }
        }
      }
    }
    return found;
  }

  /** {@inheritDoc} Kernels have none: what each CPU has is something else. */
  @Override
  public List<InThread> inThread(String variable) {
    var found = new ArrayList<InThread>();
    for (var image : readByKernel ? images() : List.<Image>of()) {
      for (var one :
          described(image).map(own -> own.types().perThread(variable)).orElse(List.of())) {
        found.add(
            new InThread(
                one.type(), image.ranges().getFirst().start(), one.address().orElseThrow()));
      }
    }
    return found;
  }

  @Override
  public boolean knowsSymbols() {
    return true;
  }

  @Override
  public Stream<CType> stream() {
    return of(images()).flatMap(DwarfTypeSource::stream);
  }

  @Override
  public Stream<Named> typeNames() {
    return of(images()).flatMap(DwarfTypeSource::typeNames);
  }

  @Override
  public Map<String, EnumType> enumerators() {
    var found = new HashMap<String, EnumType>();
    of(images()).forEach(source -> source.enumerators().forEach(found::putIfAbsent));
    return found;
  }
}
