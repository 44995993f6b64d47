// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.demangle;

import java.util.List;
import java.util.Optional;

/**
 * A part of a demangled name. C's declarators stand around what they declare, so a part has text to
 * the left of a name and, function and array types, text to its right.
 */
sealed interface Node {
  /** What stands to the left, or all. */
  void left(Printer out);

  /** What stands to the right. */
  default void right(Printer out) {}

  /** Whether a pointer to this needs parentheses: a function or array type. */
  default Form form() {
    return Form.PLAIN;
  }

  /** The node behind what stands for another. */
  default Node resolved(Printer out) {
    return this;
  }

  default void print(Printer out) {
    left(out);
    right(out);
  }

  /** How a declarator wraps. */
  enum Form {
    PLAIN,
    ARRAY,
    FUNCTION
  }

  /** Text as it is. */
  record Name(String text) implements Node {
    @Override
    public void left(Printer out) {
      out.add(text);
    }
  }

  /**
   * One of the abbreviated names of std.
   *
   * @param text the whole name
   * @param last what its constructor is called
   */
  record Std(String text, String last) implements Node {
    @Override
    public void left(Printer out) {
      out.add(text);
    }
  }

  /** {@code scope::name}. */
  record Qualified(Node scope, Node name) implements Node {
    @Override
    public void left(Printer out) {
      out.print(scope);
      out.add("::");
      out.print(name);
    }
  }

  /** A constructor or destructor. */
  record Structor(Node of, boolean destructor) implements Node {
    @Override
    public void left(Printer out) {
      out.add(destructor ? "~" : "");
      out.print(of);
    }
  }

  /** {@code name<arguments>}. */
  record Template(Node name, List<Node> arguments) implements Node {
    @Override
    public void left(Printer out) {
      out.print(name);
      if (out.endsWith('<')) {
        out.add(" ");
      }
      out.add("<");
      out.list(arguments);
      out.add(out.endsWith('>') ? " >" : ">");
    }
  }

  /** {@code name[abi:tag]}. */
  record Tagged(Node name, String tag) implements Node {
    @Override
    public void left(Printer out) {
      out.print(name);
      out.add("[abi:" + tag + "]");
    }
  }

  /** {@code operator type}. */
  record Conversion(Node type) implements Node {
    @Override
    public void left(Printer out) {
      out.add("operator ");
      out.print(type);
    }
  }

  /** {@code {lambda(parameters)#number}}. */
  record Lambda(List<Node> parameters, String number) implements Node {
    @Override
    public void left(Printer out) {
      out.add("{lambda(");
      out.list(parameters);
      out.add(")#" + number + "}");
    }
  }

  /** Text, a part, text. */
  record Wrapped(String before, Node node, String after) implements Node {
    @Override
    public void left(Printer out) {
      out.add(before);
      out.print(node);
      out.add(after);
    }
  }

  /** Parts one behind the other. */
  record Row(List<Node> nodes) implements Node {
    @Override
    public void left(Printer out) {
      nodes.forEach(out::print);
    }
  }

  /** Parts with commas between them. */
  record Commas(String before, List<Node> nodes, String after) implements Node {
    @Override
    public void left(Printer out) {
      out.add(before);
      out.list(nodes);
      out.add(after);
    }
  }

  /** A type and what qualifies it: {@code const}, {@code volatile}. */
  record Suffixed(Node type, String suffix) implements Node {
    @Override
    public void left(Printer out) {
      out.left(type);
      // A const parameter may stand for a type that is const already.
      if (!(out.resolve(type) instanceof Suffixed s && s.suffix.equals(suffix))) {
        out.add(suffix);
      }
    }

    @Override
    public void right(Printer out) {
      out.right(type);
    }

    @Override
    public Form form() {
      return type.form();
    }
  }

  /** A pointer or reference. */
  record Pointer(Node to, String mark) implements Node {
    @Override
    public void left(Printer out) {
      var target = out.resolve(to);
      // A reference to a reference is the one that has fewer &.
      if (mark.startsWith("&") && target instanceof Pointer p && p.mark.startsWith("&")) {
        out.left(mark.length() < p.mark.length() ? new Pointer(p.to, mark) : p);
        return;
      }
      out.left(target);
      switch (target.form()) {
        case ARRAY -> out.add(" (");
        case FUNCTION -> out.add("(");
        case PLAIN -> {}
      }
      out.add(mark);
    }

    @Override
    public void right(Printer out) {
      var target = out.resolve(to);
      if (mark.startsWith("&") && target instanceof Pointer p && p.mark.startsWith("&")) {
        out.right(p);
        return;
      }
      if (target.form() != Form.PLAIN) {
        out.add(")");
      }
      out.right(target);
    }
  }

  /** A pointer to a member. */
  record MemberPointer(Node owner, Node member) implements Node {
    @Override
    public void left(Printer out) {
      var target = out.resolve(member);
      out.left(target);
      switch (target.form()) {
        case ARRAY -> out.add(" (");
        case FUNCTION -> out.add("(");
        case PLAIN -> out.add(" ");
      }
      out.print(owner);
      out.add("::*");
    }

    @Override
    public void right(Printer out) {
      var target = out.resolve(member);
      if (target.form() != Form.PLAIN) {
        out.add(")");
      }
      out.right(target);
    }
  }

  /** An array; the bound may be empty. */
  record Array(Node element, Optional<Node> bound) implements Node {
    @Override
    public void left(Printer out) {
      out.left(element);
    }

    @Override
    public void right(Printer out) {
      out.add(out.endsWith(']') ? "[" : " [");
      bound.ifPresent(out::print);
      out.add("]");
      out.right(element);
    }

    @Override
    public Form form() {
      return Form.ARRAY;
    }
  }

  /** A function's type; {@code suffix} is what follows the parameters. */
  record Function(Node result, List<Node> parameters, String suffix) implements Node {
    @Override
    public void left(Printer out) {
      out.left(result);
      out.add(" ");
    }

    @Override
    public void right(Printer out) {
      out.add("(");
      out.list(parameters);
      out.add(")" + suffix);
      out.right(result);
    }

    @Override
    public Form form() {
      return Form.FUNCTION;
    }
  }

  /** A function: {@code [result] name(parameters)suffix}. */
  record Encoding(Optional<Node> result, Node name, List<Node> parameters, String suffix)
      implements Node {
    @Override
    public void left(Printer out) {
      if (result.isPresent()) {
        int before = out.length();
        out.left(result.get());
        if (out.length() > before
            && !out.endsWith('(')
            && !out.endsWith('*')
            && !out.endsWith('&')) {
          out.add(" ");
        } else if (result.get() instanceof Pointer p && p.to.form() == Form.PLAIN) {
          out.add(" ");
        }
      }
      out.print(name);
      out.add("(");
      out.list(parameters);
      out.add(")" + suffix);
      result.ifPresent(out::right);
    }
  }

  /** The arguments that one parameter stands for, all of them. */
  record Pack(List<Node> nodes) implements Node {
    @Override
    public void left(Printer out) {
      out.whole(nodes);
    }
  }

  /** A parameter that stands for a pack: in an expansion one of its arguments. */
  record PackParameter(Pack pack) implements Node {
    @Override
    public Node resolved(Printer out) {
      var nodes = pack.nodes();
      int i = out.packIndex(nodes.size());
      return i < 0 ? pack : i < nodes.size() ? nodes.get(i) : new Name("");
    }

    @Override
    public void left(Printer out) {
      out.left(resolved(out));
    }

    @Override
    public void right(Printer out) {
      out.right(resolved(out));
    }
  }

  /** A pattern, once for each argument of the packs in it. */
  record Expansion(Node pattern) implements Node {
    @Override
    public void left(Printer out) {
      out.expand(pattern);
    }
  }

  /** A template's parameter whose argument comes later in the name. */
  final class Later implements Node {
    final int index;
    Node is;

    Later(int index) {
      this.index = index;
    }

    @Override
    public Node resolved(Printer out) {
      return is == null ? this : is;
    }

    @Override
    public void left(Printer out) {
      if (is != null) {
        out.left(is);
      }
    }

    @Override
    public void right(Printer out) {
      if (is != null) {
        out.right(is);
      }
    }

    @Override
    public Form form() {
      return is == null || is instanceof Later ? Form.PLAIN : is.form();
    }
  }
}
