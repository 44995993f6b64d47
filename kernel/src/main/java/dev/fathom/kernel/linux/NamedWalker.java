// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.kernel.Walker;
import dev.fathom.model.Program;
import dev.fathom.model.Value;
import java.util.Iterator;
import java.util.Optional;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** A walker made of a name and a function. */
record NamedWalker(
    String name, String description, Walker.Start start, String yields, Source source)
    implements Walker {
  /** Begins a walk. */
  interface Source {
    Iterator<Value> from(Optional<Value> start, Notes notes);
  }

  @Override
  public Stream<Value> walk(Program program, Optional<Value> start, Notes notes) {
    return StreamSupport.stream(
        Spliterators.spliteratorUnknownSize(
            source.from(start, notes), Spliterator.ORDERED | Spliterator.NONNULL),
        false);
  }
}
