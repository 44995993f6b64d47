// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What the consumer does when a firing's record has values for it. Actions are carried out in the
 * order in which they are in the record.
 */
public sealed interface Action {
  /** The values that belong to it, in order. */
  List<Shape> shapes();

  /** {@code trace(e)}, {@code stack()}, {@code sym(e)} and so on as a statement: by its shape. */
  record Trace(Shape shape) implements Action {
    @Override
    public List<Shape> shapes() {
      return List.of(shape);
    }
  }

  /** {@code tracemem(address, size [, count])}: always a hex dump of the first {@code count}. */
  record TraceMemory(Shape bytes, boolean counted) implements Action {
    @Override
    public List<Shape> shapes() {
      return counted ? List.of(bytes, new Shape(Shape.Form.UNSIGNED, 8)) : List.of(bytes);
    }
  }

  /** {@code print(e)}: the value with its type's members; {@link Shape#type()} is there. */
  record Print(Shape value) implements Action {
    @Override
    public List<Shape> shapes() {
      return List.of(value);
    }
  }

  record Printf(Format format, List<Shape> arguments) implements Action {
    public Printf {
      arguments = List.copyOf(arguments);
    }

    @Override
    public List<Shape> shapes() {
      return arguments;
    }
  }

  /** Prints aggregations, by id, joined by their keys. */
  record Printa(Optional<Format> format, List<Integer> aggregations) implements Action {
    public Printa {
      aggregations = List.copyOf(aggregations);
    }

    @Override
    public List<Shape> shapes() {
      return List.of();
    }
  }

  record Normalize(int aggregation) implements Action {
    @Override
    public List<Shape> shapes() {
      return List.of(new Shape(Shape.Form.UNSIGNED, 8));
    }
  }

  record Denormalize(int aggregation) implements Action {
    @Override
    public List<Shape> shapes() {
      return List.of();
    }
  }

  /** Sets every value to zero and keeps the keys. */
  record Clear(int aggregation) implements Action {
    @Override
    public List<Shape> shapes() {
      return List.of();
    }
  }

  /** Keeps the greatest n (n above 0), the least -n, or nothing (0; always when not counted). */
  record Truncate(int aggregation, boolean counted) implements Action {
    @Override
    public List<Shape> shapes() {
      return counted ? List.of(new Shape(Shape.Form.SIGNED, 8)) : List.of();
    }
  }

  /** A shell command on the tracing machine; allowed only with {@code -w}. */
  record System(Format format, List<Shape> arguments) implements Action {
    public System {
      arguments = List.copyOf(arguments);
    }

    @Override
    public List<Shape> shapes() {
      return arguments;
    }
  }

  /** Output goes to that file from here on, or back if the name is empty; only with {@code -w}. */
  record Freopen(Format format, List<Shape> arguments) implements Action {
    public Freopen {
      arguments = List.copyOf(arguments);
    }

    @Override
    public List<Shape> shapes() {
      return arguments;
    }
  }

  /** Empties the output file. */
  record Ftruncate() implements Action {
    @Override
    public List<Shape> shapes() {
      return List.of();
    }
  }

  record Setopt(String name, Optional<String> value) implements Action {
    @Override
    public List<Shape> shapes() {
      return List.of();
    }
  }

  /** The program ends with that status. */
  record Exit() implements Action {
    @Override
    public List<Shape> shapes() {
      return List.of(new Shape(Shape.Form.SIGNED, 4));
    }
  }

  /** What that speculation has collected is shown now. */
  record Commit() implements Action {
    @Override
    public List<Shape> shapes() {
      return List.of(new Shape(Shape.Form.SIGNED, 4));
    }
  }

  /** What that speculation has collected is thrown away. */
  record Discard() implements Action {
    @Override
    public List<Shape> shapes() {
      return List.of(new Shape(Shape.Form.SIGNED, 4));
    }
  }

  /** {@code pcap(address, protocol)}: a packet's bytes, then its length. */
  record Pcap(Shape bytes, OptionalInt protocol) implements Action {
    @Override
    public List<Shape> shapes() {
      return List.of(bytes, new Shape(Shape.Form.UNSIGNED, 8));
    }
  }
}
