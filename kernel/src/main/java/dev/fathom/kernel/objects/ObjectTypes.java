// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.objects;

import dev.fathom.base.BadDataException;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSource;
import dev.fathom.symbols.dwarf.DwarfTypeSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The types that the files of a process's objects describe in DWARF, the program's first. An object
 * whose debug information is damaged is left out from then on.
 */
public final class ObjectTypes implements TypeSource {
  private final LoadedObjects objects;
  private final Optional<Path> index;
  private final Consumer<String> warnings;
  private final Map<LoadedObject, Optional<DwarfTypeSource>> sources = new IdentityHashMap<>();

  /**
   * @param index the folder of the on-disk index; empty to do without
   */
  public ObjectTypes(LoadedObjects objects, Optional<Path> index, Consumer<String> warnings) {
    this.objects = objects;
    this.index = index;
    this.warnings = warnings;
  }

  /** Of how many objects it is kept what types they have. */
  int kept() {
    return sources.size();
  }

  private interface Question<T> {
    T of(DwarfTypeSource source);
  }

  /** What each object with types answers. */
  private <T> List<T> ask(Question<T> question) {
    var answers = new ArrayList<T>();
    for (var object : objects.all()) {
      source(object).flatMap(source -> answer(object, source, question)).ifPresent(answers::add);
    }
    return answers;
  }

  private Optional<DwarfTypeSource> source(LoadedObject object) {
    if (!sources.containsKey(object)) {
      sources.keySet().retainAll(objects.all()); // Those of objects that are gone are not kept.
    }
    return sources.computeIfAbsent(
        object,
        of ->
            of.file()
                .flatMap(
                    file -> DebugInformation.types("dwarf:" + of.name(), file, index, warnings)));
  }

  private <T> Optional<T> answer(
      LoadedObject object, DwarfTypeSource source, Question<T> question) {
    try {
      return Optional.of(question.of(source));
    } catch (BadDataException e) {
      warnings.accept(object.name() + ": no more types: " + e.getMessage());
      sources.put(object, Optional.empty());
      return Optional.empty();
    }
  }

  @Override
  public String name() {
    return "dwarf";
  }

  @Override
  public Optional<CType> find(TypeName name) {
    Optional<CType> declared = Optional.empty();
    for (var found : ask(source -> source.find(name))) {
      if (found.isPresent() && !(found.get() instanceof OpaqueType)) {
        return found;
      }
      declared = declared.isEmpty() ? found : declared;
    }
    return declared;
  }

  @Override
  public boolean isValue(String value) {
    return ask(source -> source.isValue(value)).contains(true);
  }

  @Override
  public Optional<CType> ofSymbol(String symbol) {
    return ask(source -> source.ofSymbol(symbol)).stream().flatMap(Optional::stream).findFirst();
  }

  @Override
  public Optional<CType> ofSymbol(String symbol, long address) {
    for (var object : objects.all()) {
      var bias = object.bias();
      var source = source(object);
      if (bias.isPresent()
          && source.isPresent()
          && Long.compareUnsigned(address, object.start()) >= 0
          && Long.compareUnsigned(address, object.end()) < 0) {
        return answer(object, source.get(), s -> s.ofLinked(symbol, address - bias.getAsLong()))
            .flatMap(type -> type);
      }
    }
    return ofSymbol(symbol);
  }

  @Override
  public Optional<CType> findTemplate(String name) {
    return ask(source -> source.findTemplate(name)).stream().flatMap(Optional::stream).findFirst();
  }

  @Override
  public List<Placed> placed(String variable) {
    var found = new ArrayList<Placed>();
    for (var object : objects.all()) {
      var bias = object.bias();
      var source = source(object);
      if (bias.isPresent() && source.isPresent()) {
        for (var fixed : answer(object, source.get(), s -> s.fixed(variable)).orElse(List.of())) {
          found.add(new Placed(fixed.type(), fixed.address().orElseThrow() + bias.getAsLong()));
        }
      }
    }
    return found;
  }

  @Override
  public List<InThread> inThread(String variable) {
    var found = new ArrayList<InThread>();
    for (var object : objects.all()) {
      var own =
          source(object).flatMap(source -> answer(object, source, s -> s.perThread(variable)));
      for (var one : own.orElse(List.of())) {
        found.add(new InThread(one.type(), object.start(), one.address().orElseThrow()));
      }
    }
    return found;
  }

  @Override
  public Map<String, EnumType> enumerators() {
    var found = new HashMap<String, EnumType>();
    ask(DwarfTypeSource::enumerators).forEach(all -> all.forEach(found::putIfAbsent));
    return found;
  }

  @Override
  public Stream<CType> stream() {
    return ask(DwarfTypeSource::stream).stream().flatMap(types -> types);
  }

  @Override
  public Stream<Named> typeNames() {
    return ask(DwarfTypeSource::typeNames).stream().flatMap(names -> names);
  }
}
