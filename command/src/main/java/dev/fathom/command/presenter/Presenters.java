// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter;

import dev.fathom.base.LookupException;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.regex.Pattern;

/** All presenters that there are, by the classes that they know. */
public final class Presenters {
  /** Namespaces that users do not write, and the numbers of ABI versions. */
  private static final Pattern INLINE = Pattern.compile("\\b(__cxx11|__cxx1998|__1|__8)::");

  private final Map<String, List<Presenter>> byClass = new HashMap<>();

  /**
   * @param all in the order in which they are asked
   */
  public Presenters(List<Presenter> all) {
    for (var presenter : all) {
      for (var name : presenter.classes()) {
        byClass.computeIfAbsent(name, _ -> new ArrayList<>()).add(presenter);
      }
    }
  }

  /** Those that {@link ServiceLoader} finds; made when an object is first shown. */
  private static final class Installed {
    private static final Presenters ALL = load();

    private static Presenters load() {
      var own = new ArrayList<Presenter>();
      var others = new ArrayList<Presenter>();
      for (var presenter : ServiceLoader.load(Presenter.class)) {
        boolean ours = presenter.getClass().getModule().equals(Presenters.class.getModule());
        boolean ourName = presenter.getClass().getName().startsWith("dev.fathom.command.");
        (ours && ourName ? own : others).add(presenter);
      }
      others.addAll(own);
      return new Presenters(others);
    }
  }

  /** All that are installed. */
  public static Presenters installed() {
    return Installed.ALL;
  }

  /** The name of a class without arguments of its template, as presenters name it. */
  public static String plainName(String name) {
    int open = name.indexOf('<');
    var template = open < 0 ? name : name.substring(0, open);
    return template.contains("::__") ? INLINE.matcher(template).replaceAll("") : template;
  }

  /**
   * What an object means; empty when nobody knows it.
   *
   * @throws dev.fathom.base.BadDataException when it is damaged
   * @throws dev.fathom.base.FaultException when it cannot be read
   */
  public Optional<Presentation> of(Value.Ref object, CompositeType type) {
    for (var presenter : byClass.getOrDefault(plainName(type.name()), List.of())) {
      try {
        var presentation = presenter.present(object, type);
        if (presentation.isPresent()) {
          return presentation;
        }
      } catch (LookupException e) {
        continue; // another library's class of that name, or a version that is not known
      }
    }
    return Optional.empty();
  }
}
