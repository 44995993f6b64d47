// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** An iterator whose elements are made one by one. */
public abstract class Lazily<T> implements Iterator<T> {
  private Optional<T> next = Optional.empty();
  private boolean ended;

  /** The next element; empty at the end. Not called again after the end or an exception. */
  protected abstract Optional<T> advance();

  @Override
  public final boolean hasNext() {
    if (next.isEmpty() && !ended) {
      // Should advance throw, this has ended.
      ended = true;
      next = advance();
      ended = next.isEmpty();
    }
    return next.isPresent();
  }

  @Override
  public final T next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    var element = next.orElseThrow();
    next = Optional.empty();
    return element;
  }

  /** The elements of {@code iterator}, none of which is asked for before its time. */
  public static <T> Stream<T> stream(Iterator<T> iterator) {
    return StreamSupport.stream(
        Spliterators.spliteratorUnknownSize(
            iterator, Spliterator.ORDERED | Spliterator.NONNULL | Spliterator.IMMUTABLE),
        false);
  }
}
