// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session;

import dev.fathom.base.FathomException;
import dev.fathom.base.Range;
import dev.fathom.format.dwarf.CallFrames;
import dev.fathom.format.elf.Elf;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.format.elf.ElfSymtab;
import dev.fathom.format.elf.SectionHeader;
import dev.fathom.model.Image;
import dev.fathom.model.Symbol;
import dev.fathom.model.source.Activation;
import dev.fathom.model.source.SourceInfo;
import dev.fathom.model.source.SourceInfos;
import dev.fathom.model.source.SourceLine;
import dev.fathom.model.unwind.Frame;
import dev.fathom.model.unwind.UnwindRow;
import dev.fathom.model.unwind.UnwindSource;
import dev.fathom.symbols.CfiUnwindSource;
import dev.fathom.symbols.debugfile.DebugFile;
import dev.fathom.symbols.elf.Placement;
import dev.fathom.symbols.source.DwarfSource;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The source and the unwind rules of the kernel and its modules, each from its debug file, which is
 * opened when one of its addresses is asked about.
 */
final class SessionSources {
  /** Symbols that a kernel's image and its debug file have both: their distance is the slide. */
  private static final List<String> ANCHORS = List.of("_stext", "_text", "_etext");

  private static final long PAGE = 4096;

  /** What is made of one debug file. */
  private record Part(SourceInfo source, Optional<UnwindSource> frames) {}

  private final Session session;
  private final Map<Image, Optional<Part>> parts = new HashMap<>();
  private final List<String> problems = new ArrayList<>();
  private List<Image> images = List.of();
  private final SourceInfo info;

  SessionSources(Session session) {
    this.session = session;
    info = new ByImage();
  }

  /** Modules may be others now; those that are as they were keep what was read of them. */
  void forget() {
    images = List.of();
  }

  SourceInfo info() {
    return info;
  }

  private List<Image> images() {
    if (images.isEmpty()) {
      images = session.kernel().images();
      parts.keySet().retainAll(images);
    }
    return images;
  }

  private Optional<Part> at(long pc) {
    // Most code is the kernel's own, which is known without listing modules.
    var first = session.kernel().image().filter(image -> holds(image, pc));
    return first
        .or(() -> images().stream().filter(image -> holds(image, pc)).findFirst())
        .flatMap(this::part);
  }

  private void problem(String text) {
    if (!problems.contains(text)) {
      problems.add(text);
    }
  }

  private static boolean holds(Image image, long pc) {
    for (var range : image.ranges()) {
      if (range.contains(pc)) {
        return true;
      }
    }
    return false;
  }

  private Optional<Part> part(Image image) {
    var known = parts.get(image);
    if (known == null) {
      known = open(image);
      parts.put(image, known);
    }
    return known;
  }

  private Optional<Part> open(Image image) {
    try {
      var described = session.debugFiles().described(image);
      return described.isPresent()
          ? placement(image, described.get().file())
              .map(placement -> part(image, described.get(), placement))
          : Optional.empty();
    } catch (FathomException e) {
      problem(image.name() + ": " + e.getMessage());
      return Optional.empty();
    }
  }

  private Part part(Image image, SessionDebugFiles.Described described, Placement placement) {
    boolean kernel = image.object().isEmpty();
    var suffix = kernel ? "" : ":" + image.name();
    var file = described.file();
    var architecture = session.kernel().program().architecture();
    var frames =
        file.find(".debug_frame")
            .map(
                section ->
                    CallFrames.ofDebugFrame(
                        section, file.order(), architecture.layout().wordBytes()));
    return new Part(
        new DwarfSource(
            "dwarf" + suffix,
            described.dwarf(),
            described.types(),
            frames.or(() -> ehFrame(file)),
            architecture,
            placement,
            described.lineFiles()),
        frames.map(f -> new CfiUnwindSource("cfi" + suffix, f, architecture, placement)));
  }

  /** What programs have instead, where it was not left out of the file with the code. */
  private static Optional<CallFrames> ehFrame(DebugFile file) {
    var sections = file.elf().sections();
    var section = sections.named(".eh_frame");
    return section
        .flatMap(sections::content)
        .map(
            bytes ->
                CallFrames.ofEhFrame(
                    bytes,
                    file.order(),
                    file.elf().header().is64() ? 8 : 4,
                    section.get().addr(),
                    address(sections.named(".text")),
                    address(sections.named(".got"))));
  }

  private static OptionalLong address(Optional<SectionHeader> section) {
    return section.isPresent() ? OptionalLong.of(section.get().addr()) : OptionalLong.empty();
  }

  private Optional<Placement> placement(Image image, DebugFile file) {
    if (image.object().isPresent()) {
      return placementOfModule(image, file);
    }
    var symtab = file.elf().symtab();
    for (var anchor : session.kernel().isProcess() ? List.<String>of() : ANCHORS) {
      var there = symtab.isPresent() ? value(symtab.get(), anchor) : OptionalLong.empty();
      var here =
          there.isPresent()
              ? session.kernel().program().symbols().first(anchor)
              : Optional.<Symbol>empty();
      if (here.isPresent()) {
        return Optional.of(new Placement.Bias(here.get().address() - there.getAsLong()));
      }
    }
    // An object of a process: its lowest address is where its ELF header is, if that is loaded.
    var lowest = image.ranges().stream().map(Range::start).min(Long::compareUnsigned);
    if (lowest.isEmpty() || (lowest.get() < 0 && !session.kernel().isProcess())) {
      problem(image.name() + ": where " + file.name() + " is loaded cannot be told");
      return Optional.empty();
    }
    return Optional.of(new Placement.Bias(lowest.get() - lowest(file.elf())));
  }

  /** The lowest address that a file is linked for. */
  private static long lowest(ElfFile file) {
    for (var segment : file.programHeaders()) {
      if (segment.type() == Elf.PT_LOAD) {
        return (segment.offset() < PAGE ? file.base() : segment.vaddr()) & -PAGE;
      }
    }
    return 0;
  }

  /**
   * The code of functions of a name, in the images that have some of the addresses. Where none is
   * given it is that of the first image, kernel or program first, that has any; to look into all
   * modules of a kernel would take long.
   *
   * @param module the image that is meant; empty for any
   */
  List<SourceInfo.FunctionCode> functions(
      String name, String module, Set<Long> addresses, int limit) {
    var found = new ArrayList<SourceInfo.FunctionCode>();
    for (var image : images()) {
      boolean asked =
          !addresses.isEmpty()
              ? addresses.stream().anyMatch(address -> holds(image, address))
              : module.isEmpty()
                  ? found.isEmpty() && image.object().isEmpty()
                  : image.name().equals(module);
      if (asked && found.size() < limit) {
        part(image).ifPresent(p -> found.addAll(p.source().functions(name, limit - found.size())));
      }
    }
    return found;
  }

  /** Where an address of an image's debug file is in the target. */
  OptionalLong loaded(Image image, DebugFile file, long address) {
    var placement = placement(image, file);
    return placement.isPresent() ? placement.get().toTarget(address) : OptionalLong.empty();
  }

  /** The address that a place in an image has in its debug file. */
  OptionalLong linked(Image image, DebugFile file, long address) {
    var placement = placement(image, file);
    return placement.isPresent() ? placement.get().toFile(address) : OptionalLong.empty();
  }

  private static OptionalLong value(ElfSymtab symbols, String name) {
    byte[] wanted = name.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < symbols.count(); i++) {
      if (symbols.isDefined(i) && symbols.nameEquals(i, wanted)) {
        return OptionalLong.of(symbols.value(i));
      }
    }
    return OptionalLong.empty();
  }

  private Optional<Placement> placementOfModule(Image image, DebugFile file) {
    var loaded = session.kernel().sections(image);
    var pieces = new ArrayList<Placement.Piece>();
    for (var section : file.elf().sections().all()) {
      var at = loaded.get(section.name());
      if (section.isLoaded() && section.size() > 0 && at != null) {
        long address = file.elf().sections().address(section);
        pieces.add(new Placement.Piece(Range.of(address, section.size()), at));
      }
    }
    if (pieces.isEmpty()) {
      problem(image.name() + ": where its sections are is not known");
      return Optional.empty();
    }
    return Optional.of(new Placement.Sections(pieces));
  }

  /** The unwind rules of all debug files. */
  UnwindSource frames() {
    return new UnwindSource() {
      @Override
      public String name() {
        return "cfi";
      }

      @Override
      public Frame.How how() {
        return Frame.How.CFI;
      }

      @Override
      public Optional<UnwindRow> rowAt(long pc) {
        return at(pc).flatMap(Part::frames).flatMap(source -> source.rowAt(pc));
      }
    };
  }

  /** Asks the debug file of the image that an address is in. */
  private final class ByImage implements SourceInfo {
    private final SourceInfo all =
        new SourceInfos(
            () -> images().stream().flatMap(i -> part(i).stream()).map(Part::source).toList());

    private SourceInfo of(long pc) {
      return at(pc).map(Part::source).orElse(SourceInfo.NONE);
    }

    @Override
    public String name() {
      return "dwarf";
    }

    @Override
    public boolean covers(long pc) {
      return of(pc).covers(pc);
    }

    @Override
    public Optional<SourceLine> line(long pc) {
      return of(pc).line(pc);
    }

    @Override
    public Optional<Range> lineRange(long pc) {
      return of(pc).lineRange(pc);
    }

    @Override
    public boolean beginsStatement(long pc) {
      return of(pc).beginsStatement(pc);
    }

    @Override
    public long body(long entry) {
      return of(entry).body(entry);
    }

    @Override
    public List<Activation> activations(long pc) {
      return of(pc).activations(pc);
    }

    @Override
    public List<Long> tailCalls(long callee, long back) {
      return of(callee).tailCalls(callee, back);
    }

    @Override
    public List<Place> places(String file, int line) {
      return all.places(file, line);
    }

    @Override
    public List<FunctionCode> functions(String name, int limit) {
      return all.functions(name, limit);
    }

    @Override
    public List<String> problems() {
      var found = new ArrayList<>(problems);
      found.addAll(session.debugFiles().problems());
      parts.values().forEach(part -> part.ifPresent(p -> found.addAll(p.source().problems())));
      return found;
    }
  }
}
