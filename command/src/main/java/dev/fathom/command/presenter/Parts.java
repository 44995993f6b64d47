// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter;

import dev.fathom.base.BadDataException;
import dev.fathom.base.LongSet;
import dev.fathom.base.LookupException;
import dev.fathom.lang.Expressions;
import dev.fathom.model.Program;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.LongFunction;
import java.util.function.LongUnaryOperator;

/** What presenters have in common: ways through memory that end, whatever is there. */
public final class Parts {
  /** Deeper than a balanced tree of all of a process's memory. */
  private static final int TREE_DEPTH = 256;

  private Parts() {}

  /**
   * The argument of the template that a class was made of.
   *
   * @throws LookupException when it has none with that number
   */
  public static CompositeType.TemplateArgument argument(CompositeType type, int number) {
    var all = type.templateArguments();
    if (number >= all.size()) {
      throw new LookupException("argument of template " + type.name(), Integer.toString(number));
    }
    return all.get(number);
  }

  /** The type that is an argument of a class's template; as {@link #argument}. */
  public static CType typeArgument(CompositeType type, int number) {
    return argument(type, number).type();
  }

  /** An object in the target's memory. */
  public static Value.Ref at(Program program, CType type, long address) {
    return new Value.Ref(program, type, address);
  }

  /** The pointer at an address. */
  public static long pointer(Program program, long address) {
    return program.memory().unsigned(address, (int) program.types().wordBytes());
  }

  /** The first address from {@code offset} on at which the type may stand. */
  public static long aligned(Program program, long offset, CType type) {
    long align = Math.max(1, Expressions.alignmentOf(type, program.types()));
    return (offset + align - 1) / align * align;
  }

  /** What is said of an object that cannot be as it is. */
  public static BadDataException damaged(CompositeType type, long address, String what) {
    return new BadDataException(Presenters.plainName(type.name()), address, what);
  }

  /** So many elements that stand behind each other. */
  public static Iterator<Presentation.Part> row(
      Program program, CType element, long start, long count) {
    return counted(
        count, i -> Presentation.Part.of(at(program, element, start + i * element.bytes())));
  }

  /** So many parts, each made of its number. */
  public static Iterator<Presentation.Part> counted(
      long count, LongFunction<Presentation.Part> part) {
    return new Iterator<>() {
      private long next;

      @Override
      public boolean hasNext() {
        return next < count;
      }

      @Override
      public Presentation.Part next() {
        if (!hasNext()) {
          throw new NoSuchElementException();
        }
        return part.apply(next++);
      }
    };
  }

  /**
   * The nodes of a chain, in order.
   *
   * @param first the first node
   * @param end what follows the last node
   * @param next the node behind a node
   * @param part what a node is shown as
   * @throws BadDataException from the iterator, when a node comes again
   */
  public static Iterator<Presentation.Part> chain(
      CompositeType type,
      long first,
      long end,
      LongUnaryOperator next,
      LongFunction<Presentation.Part> part) {
    return new Iterator<>() {
      private final LongSet seen = new LongSet();
      private long node = first;
      private boolean moved = true;

      /** The step to the next node is taken when that is needed, so that a bad one costs itself. */
      private void move() {
        if (!moved) {
          node = next.applyAsLong(node);
          moved = true;
        }
      }

      @Override
      public boolean hasNext() {
        move();
        return node != end;
      }

      @Override
      public Presentation.Part next() {
        if (!hasNext()) {
          throw new NoSuchElementException();
        }
        if (node == 0) {
          throw damaged(type, node, "the chain ends in a null pointer, expected its head");
        }
        if (!seen.add(node)) {
          throw damaged(type, node, "this node comes a second time: the chain is a cycle");
        }
        moved = false;
        return part.apply(node);
      }
    };
  }

  /** Where the links of a tree's node are, in bytes from the node's start. */
  public record Links(long left, long right) {}

  /**
   * The nodes of a binary tree in order.
   *
   * @param root 0 for an empty tree
   * @throws BadDataException from the iterator, when a node comes again or the tree is too deep
   */
  public static Iterator<Presentation.Part> tree(
      Program program,
      CompositeType type,
      long root,
      Links links,
      LongFunction<Presentation.Part> part) {
    return new Iterator<>() {
      private final LongSet seen = new LongSet();
      private final Deque<Long> path = new ArrayDeque<>();

      /** Where to go down from; 0 for nowhere. */
      private long below = root;

      private void descend() {
        while (below != 0) {
          if (!seen.add(below)) {
            throw damaged(type, below, "this node comes a second time: it is no tree");
          }
          if (path.size() >= TREE_DEPTH) {
            throw damaged(type, below, "the tree is deeper than " + TREE_DEPTH);
          }
          path.push(below);
          below = pointer(program, below + links.left());
        }
      }

      @Override
      public boolean hasNext() {
        return below != 0 || !path.isEmpty();
      }

      @Override
      public Presentation.Part next() {
        descend();
        if (path.isEmpty()) {
          throw new NoSuchElementException();
        }
        long node = path.pop();
        below = pointer(program, node + links.right());
        return part.apply(node);
      }
    };
  }

  /** Parts of which there must be a known number, no more and no fewer. */
  public static Iterator<Presentation.Part> exactly(
      CompositeType type, long address, long count, Iterator<Presentation.Part> parts) {
    return new Iterator<>() {
      private long done;

      @Override
      public boolean hasNext() {
        return done < count || parts.hasNext();
      }

      @Override
      public Presentation.Part next() {
        if (done >= count) {
          throw damaged(type, address, "has more than the " + count + " elements that it counts");
        }
        if (!parts.hasNext()) {
          throw damaged(
              type, address, "has " + done + " of the " + count + " elements that it counts");
        }
        done++;
        return parts.next();
      }
    };
  }

  /** A type's name in which strings are called as programmers call them. */
  public static String brief(CType type) {
    return type.text()
        .replace(
            "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >",
            "std::string")
        .replace(
            "std::__1::basic_string<char, std::__1::char_traits<char>, std::__1::allocator<char> >",
            "std::string");
  }

  /** The arguments of a template as the name of a class made of it has them. */
  public static List<String> written(String name) {
    var found = new ArrayList<String>();
    int open = name.indexOf('<');
    int depth = 0;
    int start = open + 1;
    for (int i = open + 1; open >= 0 && i < name.length(); i++) {
      char c = name.charAt(i);
      boolean ends = c == '>' && depth == 0;
      if (ends || (c == ',' && depth == 0)) {
        found.add(name.substring(start, i).strip());
        start = i + 1;
      }
      if (ends) {
        break;
      }
      depth += c == '<' || c == '(' ? 1 : c == '>' || c == ')' ? -1 : 0;
    }
    return found;
  }

  /** {@code 3 elements}. */
  public static String elements(long count) {
    return Long.toUnsignedString(count) + (count == 1 ? " element" : " elements");
  }
}
