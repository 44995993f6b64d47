// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.Span;
import dev.fathom.dtrace.ir.Aggregation;
import dev.fathom.dtrace.ir.AggregationFunction;
import dev.fathom.dtrace.ir.Format;
import dev.fathom.dtrace.ir.Shape;
import dev.fathom.dtrace.syntax.Node;
import dev.fathom.dtrace.syntax.Tag;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The aggregations of a run, and the statements that feed them. */
final class Aggregations {
  private static final int LIMIT = 10_000;

  private final Typer typer;
  private final Map<String, Aggregation> byName = new LinkedHashMap<>();

  Aggregations(Typer typer) {
    this.typer = typer;
  }

  List<Aggregation> all() {
    return List.copyOf(byName.values());
  }

  private RuntimeException error(Span at, Tag tag, String detail) {
    return typer.error(at, tag, detail);
  }

  private static String shown(String name) {
    return name.equals("_") ? "@" : "@" + name;
  }

  /** An aggregation that is an argument of an action. */
  Aggregation named(String function, Node node, Tag notAggregation, Tag undefined) {
    if (!(node instanceof Node.AggregationRef ref)) {
      throw error(
          node.span(), notAggregation, "argument of " + function + "() must be an aggregation");
    }
    if (ref.keys().isPresent()) {
      throw error(
          node.span(),
          notAggregation,
          function + "() takes the whole aggregation: " + shown(ref.name()) + " without keys");
    }
    var known = byName.get(ref.name());
    if (known == null) {
      throw error(
          node.span(),
          undefined,
          "aggregation "
              + shown(ref.name())
              + " is not fed by any clause before this"
              + Near.text(ref.name(), byName.keySet()));
    }
    return known;
  }

  private Aggregation get(int id) {
    return all().get(id - 1);
  }

  /** Aggregations that are printed together have the same keys. */
  void checkJoin(List<Integer> ids, Span at) {
    var first = get(ids.getFirst());
    for (int id : ids) {
      var a = get(id);
      boolean same = a.keys().size() == first.keys().size();
      for (int i = 0; same && i < a.keys().size(); i++) {
        same = a.keys().get(i).form() == first.keys().get(i).form();
      }
      if (!same) {
        throw error(
            at,
            Tag.D_PRINTA_AGGKEY,
            shown(a.name()) + " and " + shown(first.name()) + " have different keys");
      }
    }
  }

  void checkFormat(Format format, List<Integer> ids, Span at) {
    int values = 0;
    int keys = 0;
    var first = get(ids.getFirst());
    for (var c : format.conversions()) {
      for (int i = (c.dynamicWidth() ? 1 : 0) + (c.dynamicPrecision() ? 1 : 0); i > 0; i--) {
        if (keys >= first.keys().size() || !isNumber(first.keys().get(keys).form())) {
          throw error(at, Tag.D_PRINTF_DYN_PROTO, "'*' has no key that is a number in printa()");
        }
        keys++;
      }
      if (c.aggregation()) {
        values++;
        continue;
      }
      if (keys >= first.keys().size()) {
        throw error(
            at,
            Tag.D_PRINTF_ARG_PROTO,
            "conversion "
                + c.text()
                + " has no key: "
                + shown(first.name())
                + " has "
                + first.keys().size());
      }
      var form = first.keys().get(keys).form();
      boolean number = isNumber(form);
      boolean text = "sS".indexOf(c.letter()) >= 0;
      boolean numeric = "dioxuXcpTYaA".indexOf(c.letter()) >= 0;
      boolean stack = form == Shape.Form.STACK || form == Shape.Form.USTACK;
      if ((text && number)
          || (numeric && (stack || form == Shape.Form.STRING))
          || stack != (c.letter() == 'k')) {
        throw error(
            at,
            Tag.D_PRINTF_ARG_TYPE,
            "conversion "
                + c.text()
                + " does not show key "
                + (keys + 1)
                + " of "
                + shown(first.name())
                + ", which is "
                + (number ? "a number" : stack ? "a stack" : "a string"));
      }
      keys++;
    }
    // One aggregation may be shown again and again.
    if (values > ids.size() && ids.size() > 1) {
      throw error(
          at,
          Tag.D_PRINTA_AGGPROTO,
          "the format shows " + values + " aggregations, " + ids.size() + " given");
    }
  }

  private static boolean isNumber(Shape.Form form) {
    return form == Shape.Form.SIGNED || form == Shape.Form.UNSIGNED;
  }

  TypedStatement type(Node.AggregationRef ref, Node value, Span at) {
    if (!(value instanceof Node.Call call)
        || !(call.function() instanceof Node.Name n)
        || AggregationFunction.named(n.name()).isEmpty()) {
      throw error(
          value.span(),
          Tag.D_AGG_FUNC,
          "expected one of the aggregating functions count(), sum(), min(), max(), avg(), stddev(),"
              + " quantize(), lquantize() and llquantize()");
    }
    var function = AggregationFunction.named(n.name()).orElseThrow();
    var known = byName.get(ref.name());
    if (known != null && known.function() != function) {
      throw error(
          at,
          Tag.D_AGG_REDEF,
          "aggregation "
              + shown(ref.name())
              + " is fed by "
              + known.function().text()
              + "() elsewhere, by "
              + function.text()
              + "() here");
    }
    var keyNodes = ref.keys().orElse(List.of());
    var shapes = new ArrayList<Shape>();
    var keys = new ArrayList<Typed>();
    for (var node : keyNodes) {
      var v = typer.key(node);
      shapes.add(new Shapes(typer).of(v.type(), node.span()));
      keys.add(v);
    }
    var input = arguments(function, call);
    if (known == null) {
      if (byName.size() >= LIMIT) {
        throw error(at, Tag.D_AGG_REDEF, "more than " + LIMIT + " aggregations");
      }
      byName.put(
          ref.name(),
          new Aggregation(byName.size() + 1, ref.name(), function, shapes, input.parameters()));
    } else {
      checkKeys(known, shapes, keyNodes, at);
      for (int i = 0; i < keys.size(); i++) {
        var wanted = known.keys().get(i);
        if (wanted.form() == Shape.Form.SIGNED || wanted.form() == Shape.Form.UNSIGNED) {
          keys.set(
              i,
              Typed.narrow(
                  keys.get(i), DTypes.integer(wanted.bytes(), wanted.form() == Shape.Form.SIGNED)));
        }
      }
      checkParameters(known, input.parameters(), at);
    }
    return new TypedStatement.Aggregate(
        byName.get(ref.name()).id(), keys, input.value(), input.increment(), at);
  }

  private void checkKeys(Aggregation known, List<Shape> given, List<Node> nodes, Span at) {
    if (known.keys().size() != given.size()) {
      throw error(
          at,
          Tag.D_PROTO_LEN,
          shown(known.name())
              + " has "
              + known.keys().size()
              + " keys elsewhere, "
              + given.size()
              + " here");
    }
    for (int i = 0; i < given.size(); i++) {
      var a = known.keys().get(i).form();
      var b = given.get(i).form();
      boolean numbers =
          (a == Shape.Form.SIGNED || a == Shape.Form.UNSIGNED)
              && (b == Shape.Form.SIGNED || b == Shape.Form.UNSIGNED);
      if (a != b && !numbers) {
        throw error(
            nodes.get(i).span(),
            Tag.D_PROTO_ARG,
            "key " + (i + 1) + " of " + shown(known.name()) + " is of another type elsewhere");
      }
    }
  }

  private void checkParameters(Aggregation known, List<Long> given, Span at) {
    var tags =
        known.function() == AggregationFunction.LQUANTIZE
            ? List.of(Tag.D_LQUANT_MATCHBASE, Tag.D_LQUANT_MATCHLIM, Tag.D_LQUANT_MATCHSTEP)
            : List.of(
                Tag.D_LLQUANT_MATCHFACTOR,
                Tag.D_LLQUANT_MATCHLMAG,
                Tag.D_LLQUANT_MATCHHMAG,
                Tag.D_LLQUANT_MATCHSTEPS);
    var names =
        known.function() == AggregationFunction.LQUANTIZE
            ? List.of("base", "limit", "step")
            : List.of("factor", "low magnitude", "high magnitude", "steps");
    for (int i = 0; i < given.size(); i++) {
      if (!given.get(i).equals(known.parameters().get(i))) {
        throw error(
            at,
            tags.get(i),
            shown(known.name())
                + " has "
                + names.get(i)
                + " "
                + known.parameters().get(i)
                + " elsewhere, "
                + given.get(i)
                + " here");
      }
    }
  }

  private record Input(Optional<Typed> value, Optional<Typed> increment, List<Long> parameters) {}

  private Input arguments(AggregationFunction function, Node.Call call) {
    var args = call.arguments();
    int least =
        switch (function) {
          case COUNT -> 0;
          case SUM, MIN, MAX, AVG, STDDEV, QUANTIZE -> 1;
          case LQUANTIZE -> 3;
          case LLQUANTIZE -> 5;
        };
    int most =
        switch (function) {
          case COUNT -> 0;
          case SUM, MIN, MAX, AVG, STDDEV -> 1;
          case QUANTIZE -> 2;
          case LQUANTIZE -> 5;
          case LLQUANTIZE -> 6;
        };
    if (args.size() < least || args.size() > most) {
      throw error(
          call.span(),
          function == AggregationFunction.QUANTIZE ? Tag.D_QUANT_PROTO : Tag.D_PROTO_LEN,
          function.text()
              + "() takes "
              + (least == most ? least : least + " to " + most)
              + (most == 1 ? " argument, " : " arguments, ")
              + args.size()
              + " given");
    }
    if (function == AggregationFunction.COUNT) {
      return new Input(Optional.empty(), Optional.empty(), List.of());
    }
    var value = scalar(function, args.getFirst(), "value");
    return switch (function) {
      case QUANTIZE -> new Input(Optional.of(value), increment(function, args, 1), List.of());
      case LQUANTIZE -> new Input(Optional.of(value), increment(function, args, 4), linear(args));
      case LLQUANTIZE ->
          new Input(Optional.of(value), increment(function, args, 5), logLinear(args));
      case COUNT, SUM, MIN, MAX, AVG, STDDEV ->
          new Input(Optional.of(value), Optional.empty(), List.of());
    };
  }

  private Typed scalar(AggregationFunction function, Node node, String what) {
    var v = typer.value(node);
    if (!DTypes.isScalar(v.type())) {
      throw error(
          node.span(),
          Tag.D_AGG_SCALAR,
          "the "
              + what
              + " of "
              + function.text()
              + "() must be a number, not "
              + DTypes.text(v.type()));
    }
    return v;
  }

  private Optional<Typed> increment(AggregationFunction function, List<Node> args, int index) {
    return args.size() > index
        ? Optional.of(scalar(function, args.get(index), "increment"))
        : Optional.empty();
  }

  private long parameter(Node node, Tag type, Tag value, long least, long most, String what) {
    var v = typer.constant(node);
    if (v.isEmpty()) {
      throw error(node.span(), type, "the " + what + " must be a constant integer");
    }
    if (v.getAsLong() < least || v.getAsLong() > most) {
      throw error(
          node.span(),
          value,
          "the " + what + ", " + v.getAsLong() + ", must be from " + least + " to " + most);
    }
    return v.getAsLong();
  }

  private List<Long> linear(List<Node> args) {
    long base =
        parameter(
            args.get(1),
            Tag.D_LQUANT_BASETYPE,
            Tag.D_LQUANT_BASEVAL,
            Integer.MIN_VALUE,
            Integer.MAX_VALUE,
            "base of lquantize()");
    long limit =
        parameter(
            args.get(2),
            Tag.D_LQUANT_LIMTYPE,
            Tag.D_LQUANT_LIMVAL,
            Integer.MIN_VALUE,
            Integer.MAX_VALUE,
            "limit of lquantize()");
    long step =
        args.size() < 4
            ? 1
            : parameter(
                args.get(3),
                Tag.D_LQUANT_STEPTYPE,
                Tag.D_LQUANT_STEPVAL,
                1,
                65535,
                "step of lquantize()");
    if (limit <= base) {
      throw error(
          args.get(2).span(),
          Tag.D_LQUANT_MISMATCH,
          "the limit of lquantize(), " + limit + ", must be above its base, " + base);
    }
    long levels = (limit - base) / step;
    if (levels == 0) {
      throw error(
          args.get(3).span(),
          Tag.D_LQUANT_STEPLARGE,
          "the step of lquantize(), " + step + ", leaves no level between base and limit");
    }
    if (levels > 65535) {
      throw error(
          (args.size() < 4 ? args.get(2) : args.get(3)).span(),
          Tag.D_LQUANT_STEPSMALL,
          "lquantize() would have " + levels + " levels; at most 65535");
    }
    return List.of(base, limit, step);
  }

  private List<Long> logLinear(List<Node> args) {
    long factor =
        parameter(
            args.get(1),
            Tag.D_LLQUANT_FACTORTYPE,
            Tag.D_LLQUANT_FACTORVAL,
            2,
            65535,
            "factor of llquantize()");
    long low =
        parameter(
            args.get(2),
            Tag.D_LLQUANT_LMAGTYPE,
            Tag.D_LLQUANT_LMAGVAL,
            0,
            65535,
            "low magnitude of llquantize()");
    long high =
        parameter(
            args.get(3),
            Tag.D_LLQUANT_HMAGTYPE,
            Tag.D_LLQUANT_HMAGVAL,
            low,
            65535,
            "high magnitude of llquantize()");
    long steps =
        parameter(
            args.get(4),
            Tag.D_LLQUANT_STEPTYPE,
            Tag.D_LLQUANT_STEPVAL,
            1,
            65535,
            "steps of llquantize()");
    // Past 64 magnitudes no factor fits; so that the power is not computed for nothing.
    boolean fits =
        high < 64
            && BigInteger.valueOf(factor)
                    .pow((int) high + 1)
                    .compareTo(BigInteger.ONE.shiftLeft(64))
                < 0;
    if (!fits) {
      throw error(
          args.get(3).span(),
          Tag.D_LLQUANT_HMAGVAL,
          "the factor to the power of the high magnitude and 1 does not fit in 64 bits");
    }
    var at = args.get(4).span();
    if (steps < factor && factor % steps != 0) {
      throw error(
          at,
          Tag.D_LLQUANT_STEPVAL,
          "the steps of llquantize(), " + steps + ", must divide the factor, " + factor);
    }
    if (steps > factor) {
      var band = BigInteger.valueOf(factor).pow(low == 0 ? 2 : (int) low + 1);
      if (steps % factor != 0 || band.mod(BigInteger.valueOf(steps)).signum() != 0) {
        throw error(
            at,
            Tag.D_LLQUANT_STEPVAL,
            "the steps of llquantize(), "
                + steps
                + ", must be a multiple of the factor and divide the lowest band, "
                + band);
      }
    }
    return List.of(factor, low, high, steps);
  }
}
