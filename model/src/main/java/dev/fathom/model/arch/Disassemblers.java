// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch;

import dev.fathom.base.UnsupportedException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/** Picks a disassembler among those that are installed. */
public final class Disassemblers {
  private final List<DisassemblerProvider> providers;

  /**
   * @param providers in any order
   */
  public Disassemblers(List<DisassemblerProvider> providers) {
    var sorted = new ArrayList<>(providers);
    sorted.sort(Comparator.comparingInt(DisassemblerProvider::priority).reversed());
    this.providers = List.copyOf(sorted);
  }

  /** Those that {@link ServiceLoader} finds. */
  public static Disassemblers installed() {
    var found = new ArrayList<DisassemblerProvider>();
    ServiceLoader.load(DisassemblerProvider.class).forEach(found::add);
    return new Disassemblers(found);
  }

  /**
   * The outcome of trying one provider.
   *
   * @param disassembler empty when the provider cannot work here
   * @param problem why it cannot work here; empty when it can
   */
  public record Offer(
      DisassemblerProvider provider,
      Optional<Disassembler> disassembler,
      Optional<String> problem) {}

  /**
   * Tries every provider that knows {@code architecture}, the preferred ones first; the first offer
   * with a disassembler is the one that {@link #create} would use.
   */
  public List<Offer> offers(String architecture, Syntax syntax) {
    var offers = new ArrayList<Offer>();
    for (var provider : providers) {
      if (provider.supports(architecture)) {
        offers.add(offer(provider, architecture, syntax));
      }
    }
    return List.copyOf(offers);
  }

  /**
   * The preferred disassembler that works on this machine.
   *
   * @throws UnsupportedException when none does, with every provider's reason
   */
  public Disassembler create(String architecture, Syntax syntax) {
    var problems = new ArrayList<String>();
    for (var provider : providers) {
      if (provider.supports(architecture)) {
        var offer = offer(provider, architecture, syntax);
        if (offer.disassembler().isPresent()) {
          return offer.disassembler().get();
        }
        problems.add(provider.name() + ": " + offer.problem().orElseThrow());
      }
    }
    throw new UnsupportedException(
        "no disassembler for "
            + architecture
            + (problems.isEmpty() ? "" : " (" + String.join("; ", problems) + ")"));
  }

  private static Offer offer(DisassemblerProvider provider, String architecture, Syntax syntax) {
    try {
      return new Offer(
          provider, Optional.of(provider.create(architecture, syntax)), Optional.empty());
    } catch (UnsupportedException e) {
      return new Offer(provider, Optional.empty(), Optional.of(e.getMessage()));
    }
  }
}
