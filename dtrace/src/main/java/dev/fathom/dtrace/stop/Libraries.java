// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.FathomException;
import dev.fathom.dtrace.probe.Plan;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.Provider;
import dev.fathom.dtrace.run.Interpreter;
import dev.fathom.session.Session;
import dev.fathom.session.control.Condition;
import dev.fathom.session.control.Hit;
import dev.fathom.target.ProcessView;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * Enables the probes of libraries that a process opens while it is traced, before their code runs,
 * and gives up those of libraries that it closes.
 */
final class Libraries implements Condition {
  /** Each stays known for as long as tracing lasts, as what was recorded may name it. */
  private static final int MOST_ENABLED = 2_000_000;

  /** Texts that are kept so as not to be told again. */
  private static final int MOST_REFUSED = 10_000;

  private final Session session;
  private final Plan plan;
  private final Interpreter interpreter;
  private final PlacedProbes placed;
  private final Places places;
  private final Supplier<List<Provider>> providers;
  private final Set<String> refused = new TreeSet<>();
  private Optional<DynamicLinker> linker = Optional.empty();
  private boolean changed;

  /**
   * @param providers those that libraries may have probes of, as the process is now
   */
  Libraries(
      Session session,
      Plan plan,
      Interpreter interpreter,
      PlacedProbes placed,
      Places places,
      Supplier<List<Provider>> providers) {
    this.session = session;
    this.plan = plan;
    this.interpreter = interpreter;
    this.placed = placed;
    this.places = places;
    this.providers = providers;
  }

  /**
   * Begins to watch, where the program asks for what libraries can bring.
   *
   * @return whether there is anything to watch
   */
  boolean start(ProcessView process) {
    var id = Long.toString(process.process());
    // Names of providers in processes end with the process's number.
    boolean wanted =
        plan.descriptions().stream()
            .map(it -> it.pattern().provider())
            .anyMatch(it -> it.endsWith(id) || !it.matches("[A-Za-z0-9_-]+"));
    linker =
        wanted ? DynamicLinker.of(process, session.kernel().program().memory()) : Optional.empty();
    linker.ifPresent(found -> placed.watch(found, this));
    return linker.isPresent();
  }

  @Override
  public String text() {
    return "libraries";
  }

  @Override
  public boolean holds(Hit hit) {
    changed |= linker.get().isConsistent();
    return changed;
  }

  /**
   * Looks at what libraries there are if they have changed.
   *
   * @return what could not be enabled and why, a line each
   */
  List<String> update() {
    if (!changed) {
      return List.of();
    }
    changed = false;
    drop();
    var failed = new ArrayList<String>();
    var now = providers.get();
    for (var description : plan.descriptions()) {
      for (var provider : now) {
        try (var probes = provider.probes(description.pattern())) {
          probes.forEach(probe -> enable(probe, description, failed));
        } catch (FathomException e) {
          refuse(e.getMessage(), failed);
        }
      }
    }
    return failed;
  }

  /**
   * Where a library is on its way out, what is gone of it has no probes any more: the process may
   * have been stopped for another reason between the two calls of the dynamic linker.
   */
  void settle() {
    if (!linker.get().isConsistent()) {
      drop();
    }
  }

  private void drop() {
    session.kernel().refresh();
    var mappings = session.kernel().mappings();
    placed
        .drop(address -> mappings.stream().noneMatch(it -> it.range().contains(address)))
        .forEach(places::release);
  }

  private void enable(Probe probe, Plan.Description description, List<String> failed) {
    if (!description.takes(probe)) {
      refuse(
          probe.name() + ": its args[] differ from those that the program was compiled for",
          failed);
      return;
    }
    boolean known = plan.isEnabled(probe, description.clause());
    if (!known && plan.enabled().size() >= MOST_ENABLED) {
      refuse(
          "libraries brought more than " + MOST_ENABLED + " probes: no more are enabled", failed);
      return;
    }
    if (!known) {
      interpreter.enable(plan.enable(probe, description.clause()));
    }
    if (!placed.has(probe)) {
      placed
          .add(probe, places.of(probe), interpreter.site(probe))
          .ifPresent(why -> refuse(why, failed));
    }
  }

  /** What is wrong is said once, not at each change. */
  private void refuse(String why, List<String> failed) {
    if (refused.size() < MOST_REFUSED && refused.add(why)) {
      failed.add(why);
    }
  }
}
