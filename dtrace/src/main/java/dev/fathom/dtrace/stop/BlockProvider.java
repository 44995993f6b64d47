// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeArgument;
import dev.fathom.dtrace.probe.ProbeName;
import dev.fathom.dtrace.probe.ProbePattern;
import dev.fathom.dtrace.probe.Provider;
import dev.fathom.dtrace.probe.Stability;
import dev.fathom.model.Symbol;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.TypeName;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * {@code io} of Linux guests: what becomes of requests to block devices, each a {@code struct bio}.
 * {@code start} and {@code done} are the tracepoints of every one that is queued and completed, by
 * itself or in a request, which the kernel tells from those that it splits and chains; {@code
 * wait-start} and {@code wait-done} the function in which a thread waits for one. A probe whose
 * place a kernel does not have is not there.
 */
final class BlockProvider implements Provider {
  /** include/trace/events/block.h. */
  private static final String QUEUED = "block_bio_queue";

  private static final String COMPLETED = "block_bio_complete";

  /** Of what goes through a queue of requests the kernel tells by those. */
  private static final String REQUEST_COMPLETED = "block_rq_complete";

  /** block/bio.c, {@code int submit_bio_wait(struct bio *)}, since 2.6.39. */
  private static final String WAIT = "submit_bio_wait";

  private static final List<String> TYPES = List.of("bufinfo_t *", "devinfo_t *", "fileinfo_t *");

  private final Functions functions;
  private final Tracepoints tracepoints;
  private final Places places;

  BlockProvider(Functions functions, Tracepoints tracepoints, Places places) {
    this.functions = functions;
    this.tracepoints = tracepoints;
    this.places = places;
  }

  @Override
  public String name() {
    return "io";
  }

  @Override
  public Stability stability() {
    return Stability.STABLE;
  }

  @Override
  public Stream<Probe> probes(ProbePattern pattern) {
    var bio = functions.program().types().find(TypeName.struct("bio"));
    if (!ProbePattern.matches(pattern.provider(), name())
        || !ProbePattern.matches(pattern.module(), Functions.KERNEL)
        || bio.isEmpty()) {
      return Stream.empty();
    }
    return Stream.of(
            tracepoint("start", QUEUED, pattern, bio.get()),
            tracepoint("done", COMPLETED, pattern, bio.get()),
            requests(pattern, bio.get()),
            waiting("wait-start", pattern, bio.get()),
            waiting("wait-done", pattern, bio.get()))
        .flatMap(Optional::stream);
  }

  private Optional<Probe> tracepoint(String event, String name, ProbePattern pattern, CType bio) {
    if (!ProbePattern.matches(pattern.name(), event)
        || !ProbePattern.matches(pattern.function(), name)) {
      return Optional.empty();
    }
    var parameter = parameter(name, bio);
    if (parameter.isEmpty()) {
      return Optional.empty();
    }
    return tracepoints
        .find(name)
        .map(one -> probe(event, name, new Place.Tracepoint(one, parameter.getAsInt()), bio));
  }

  private Optional<Probe> requests(ProbePattern pattern, CType bio) {
    if (!ProbePattern.matches(pattern.name(), "done")
        || !ProbePattern.matches(pattern.function(), REQUEST_COMPLETED)) {
      return Optional.empty();
    }
    return tracepoints
        .find(REQUEST_COMPLETED)
        .map(one -> probe("done", REQUEST_COMPLETED, new Place.Completion(one), bio));
  }

  /** Which parameter of {@code TP_PROTO} is the request: up to 5.11 it comes behind the queue. */
  private OptionalInt parameter(String tracepoint, CType bio) {
    var types = tracepoints.parameters(tracepoint);
    return IntStream.range(0, types.size())
        .filter(
            i ->
                types.get(i).resolved() instanceof PointerType to
                    && to.target().resolved().text().equals(bio.text()))
        .findFirst();
  }

  private Optional<Probe> waiting(String event, ProbePattern pattern, CType bio) {
    if (!ProbePattern.matches(pattern.name(), event)
        || !ProbePattern.matches(pattern.function(), WAIT)) {
      return Optional.empty();
    }
    return functions
        .program()
        .symbols()
        .first(WAIT)
        .filter(s -> s.kind() == Symbol.Kind.TEXT)
        .map(
            s ->
                probe(
                    event,
                    WAIT,
                    event.equals("wait-done")
                        ? new Place.Awaited(s.address(), s.size())
                        : new Place.Derived(
                            s.address(), Place.Filter.ALL, List.of(new Place.Parameter(0))),
                    bio));
  }

  private Probe probe(String event, String function, Place place, CType bio) {
    var type = new PointerType(functions.program().architecture().layout().wordBytes(), () -> bio);
    return places.probe(
        new ProbeName(name(), Functions.KERNEL, function, event),
        place,
        TYPES.stream().map(to -> new ProbeArgument(0, type, Optional.of(to))).toList());
  }
}
