// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.BadDataException;
import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Datum.Node;
import dev.fathom.base.Datum.Shape;
import dev.fathom.base.FaultException;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenters;
import dev.fathom.model.FloatFormat;
import dev.fathom.model.Program;
import dev.fathom.model.Statics;
import dev.fathom.model.Value;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.Member;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.QualifiedType;
import dev.fathom.model.type.TypedefType;
import dev.fathom.model.type.VoidType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Reads a value and all that it is made of into a tree that can be shown. Memory that cannot be
 * read spoils the part that stands there and no other.
 */
public final class ValueTree {
  /** No tree is deeper, however types nest. */
  private static final int DEPTH_LIMIT = 64;

  /** No tree has more nodes; what is behind that is cut. */
  private static final int NODE_LIMIT = 200_000;

  /**
   * What is shown, and how.
   *
   * @param types the type of each part
   * @param baseTypes behind each type the one that its typedefs stand for
   * @param addresses the address of each part
   * @param symbols pointers by name where they lead to a symbol
   * @param strings the text behind character pointers
   * @param holes the unused bytes between members
   * @param arrayMembers elements of an array at most; empty for all
   * @param arrayString characters of a string at most; empty for all
   * @param depth levels of structures that are opened
   * @param letter the format of each number, one of gdb's
   * @param typedRoot whether a pointer or function that is shown alone has its type in front
   * @param raw whether objects are shown as they are stored, whatever presenters know
   */
  public record Options(
      Datum.Style style,
      Cell.Radix radix,
      boolean types,
      boolean baseTypes,
      boolean addresses,
      boolean symbols,
      boolean strings,
      boolean holes,
      OptionalInt arrayMembers,
      OptionalInt arrayString,
      int depth,
      Optional<Character> letter,
      boolean typedRoot,
      boolean raw) {

    /** mdb's defaults with the user's settings. */
    public static Options mdb(Settings settings) {
      return usual(
          Datum.Style.MDB,
          Cell.Radix.HEX,
          settings.arrayMembers(),
          settings.arrayString(),
          Optional.empty(),
          false);
    }

    /** crash's and gdb's way: numbers in decimal unless {@code radix} says otherwise. */
    public static Options crash(Cell.Radix radix) {
      var most = OptionalInt.of(200);
      return usual(Datum.Style.CRASH, radix, most, most, Optional.empty(), false);
    }

    /**
     * gdb's way.
     *
     * @param pretty whether each member has a line
     * @param elements elements of an array, or characters of a string, at most; empty for all
     * @param letter the format of numbers
     */
    public static Options gdb(boolean pretty, OptionalInt elements, Optional<Character> letter) {
      return gdb(pretty, elements, letter, true);
    }

    /** gdb's way of listing variables: there is no type in front of a pointer. */
    public static Options variables(boolean pretty, OptionalInt elements) {
      return gdb(pretty, elements, Optional.empty(), false);
    }

    private static Options gdb(
        boolean pretty, OptionalInt elements, Optional<Character> letter, boolean typedRoot) {
      var style = pretty ? Datum.Style.CRASH : Datum.Style.GDB;
      return usual(style, Cell.Radix.DECIMAL, elements, elements, letter, typedRoot);
    }

    private static Options usual(
        Datum.Style style,
        Cell.Radix radix,
        OptionalInt arrayMembers,
        OptionalInt arrayString,
        Optional<Character> letter,
        boolean typedRoot) {
      return new Options(
          style,
          radix,
          false,
          false,
          false,
          true,
          true,
          false,
          arrayMembers,
          arrayString,
          DEPTH_LIMIT,
          letter,
          typedRoot,
          false);
    }

    /** These options with or without the address of each part. */
    public Options withAddresses(boolean shown) {
      return new Options(
          style,
          radix,
          types,
          baseTypes,
          shown,
          symbols,
          strings,
          holes,
          arrayMembers,
          arrayString,
          depth,
          letter,
          typedRoot,
          raw);
    }

    /** These options with objects shown as they are stored, or as they are meant. */
    public Options withRaw(boolean shown) {
      return new Options(
          style,
          radix,
          types,
          baseTypes,
          addresses,
          symbols,
          strings,
          holes,
          arrayMembers,
          arrayString,
          depth,
          letter,
          typedRoot,
          shown);
    }
  }

  private final Program program;
  private final Options options;
  private final Texts texts;
  private int nodes;
  private int read;
  private int unreadable;
  private String firstFault = "";

  /** Virtual bases and shared members that are in the tree. */
  private final Set<String> seen = new HashSet<>();

  private ValueTree(Program program, Options options) {
    this.program = program;
    this.options = options;
    this.texts = new Texts(program, options);
  }

  /** {@code value} as a tree whose root is called {@code name}. */
  public static Datum.Tree of(Optional<String> name, Value value, Options options) {
    var tree = new ValueTree(value.program(), options);
    return new Datum.Tree(tree.node(name, value, 0), options.style());
  }

  /**
   * Shows {@code value} as {@link #of} has it. Parts that cannot be read are shown as such, with a
   * remark; when nothing of it can be read, the command line counts as failed.
   */
  public static Item show(Invocation call, Optional<String> name, Value value, Options options) {
    var tree = new ValueTree(value.program(), options);
    var root = tree.node(name, value, 0);
    if (tree.unreadable > 0) {
      var what = name.map(n -> n.strip() + ": ").orElse("");
      var faults =
          what
              + tree.firstFault
              + (tree.unreadable == 1 ? "" : ", and " + (tree.unreadable - 1) + " more");
      if (tree.read == 0) {
        call.fail(faults);
      } else {
        call.remark(faults);
      }
    }
    return Item.show(new Datum.Tree(root, options.style()));
  }

  /** The layout of a type: each member with its type and offset, no values. */
  public static Datum.Tree layout(Program program, CType type, Options options) {
    var tree = new ValueTree(program, options);
    boolean mdb = options.style() == Datum.Style.MDB;
    Shape shape =
        type.resolved() instanceof CompositeType c
            ? new Datum.Composite(tree.declarations(c, 0, 0))
            : new Datum.Declared();
    return new Datum.Tree(
        new Node(
            Optional.empty(),
            Optional.of(type.text()),
            mdb && options.addresses() ? OptionalLong.of(0) : OptionalLong.empty(),
            shape),
        options.style());
  }

  private List<Node> declarations(CompositeType type, long base, int depth) {
    boolean mdb = options.style() == Datum.Style.MDB;
    var found = new ArrayList<Node>();
    boolean holes = options.holes() && type.kind() != CompositeType.Kind.UNION;
    long end = 0;
    for (var member : type.members()) {
      long offset = base + member.byteOffset();
      if (holes) {
        hole(base, end, member.bitOffset()).ifPresent(found::add);
        end = member.bitOffset() + bits(member);
      }
      var shown = options.addresses() ? OptionalLong.of(offset) : OptionalLong.empty();
      boolean open =
          member.type() instanceof CompositeType c
              && (c.name().isEmpty() || mdb)
              && depth < options.depth()
              && ++nodes < NODE_LIMIT;
      if (open && member.type() instanceof CompositeType c) {
        found.add(
            new Node(
                named(member.name()),
                Optional.of(c.name().isEmpty() ? c.kind().keyword() : c.text()),
                shown,
                new Datum.Composite(declarations(c, offset, depth + 1))));
      } else if (mdb) {
        found.add(
            new Node(
                named(member.name()),
                Optional.of(
                    typeText(member.type()) + (member.isBitField() ? " :" + member.bitSize() : "")),
                shown,
                new Datum.Declared()));
      } else {
        var bits = member.isBitField() ? " : " + member.bitSize() : "";
        found.add(
            new Node(
                Optional.empty(),
                Optional.of(member.type().declare(member.name()) + bits),
                shown,
                new Datum.Declared()));
      }
    }
    if (holes) {
      hole(base, end, type.bytes() * 8).ifPresent(found::add);
    }
    return found;
  }

  private static Optional<String> named(String name) {
    return name.isEmpty() ? Optional.empty() : Optional.of(name);
  }

  private String typeText(CType type) {
    var base = type.resolved();
    var text = type.text();
    return options.baseTypes() && !base.text().equals(text)
        ? text + " <<" + base.text() + ">>"
        : text;
  }

  private Node node(Optional<String> name, Value value, int depth) {
    nodes++;
    var address =
        options.addresses() && value instanceof Value.Ref ref
            ? OptionalLong.of(ref.address())
            : OptionalLong.empty();
    var bits = value instanceof Value.Ref ref && ref.bitSize() != 0 ? " :" + ref.bitSize() : "";
    var type =
        options.types() ? Optional.of(typeText(value.type()) + bits) : Optional.<String>empty();
    return new Node(name, type, address, shape(value, depth));
  }

  private Shape shape(Value value, int depth) {
    try {
      if (value.type().resolved() instanceof PointerType p && p.isReference()) {
        return reference(value, depth);
      }
      var meant = presented(value, depth);
      if (meant.isPresent()) {
        return meant.get();
      }
      var pointer = options.letter().isPresent() ? Optional.<String>empty() : memberPointer(value);
      if (pointer.isPresent()) {
        return read(leaf(pointer.get()));
      }
      var lettered = lettered(value);
      if (lettered.isPresent()) {
        return read(lettered.get());
      }
      if (depth == 0 && options.typedRoot()) {
        var root = root(value);
        if (root.isPresent()) {
          return read(root.get());
        }
      }
      return switch (value.type().resolved()) {
        case CompositeType c when c.isComplex() -> complex(value);
        case CompositeType c when value instanceof Value.Ref ref -> composite(ref, c, depth);
        case ArrayType a when value instanceof Value.Ref ref -> array(ref, a, depth);
        case IntType i -> read(integer(value, i));
        case BoolType _ -> read(bool(value));
        case EnumType e -> read(enumeration(value, e));
        case PointerType p -> read(pointer(value, p));
        case FloatType f -> read(floating(value, f));
        case FunctionType _ when value instanceof Value.Ref ref -> function(ref);
        case OpaqueType o -> absent("forward declaration of " + o.text());
        case VoidType _ -> leaf("void");
        case CompositeType _, ArrayType _, FunctionType _, QualifiedType _, TypedefType _ ->
            absent("not in memory");
      };
    } catch (FaultException e) {
      if (unreadable++ == 0) {
        firstFault = e.getMessage();
      }
      return absent(e.reason().text());
    } catch (BadDataException e) {
      if (unreadable++ == 0) {
        firstFault = e.getMessage();
      }
      return absent(e.getMessage());
    }
  }

  /** A reference; what it refers to is shown where it is all there is to show. */
  private Shape reference(Value value, int depth) {
    var target = value.deref();
    var meant = presented(target, depth);
    if (meant.isPresent()) {
      return meant.get();
    }
    if (options.letter().isPresent() && depth == 0) {
      return shape(target, depth);
    }
    return read(
        new Datum.Reference(
            depth == 0 && options.typedRoot() ? Optional.of(value.type().text()) : Optional.empty(),
            value.asLong(),
            depth == 0 ? Optional.of(shape(target, depth + 1)) : Optional.empty()));
  }

  /** An object as a presenter shows it. */
  private Optional<Shape> presented(Value value, int depth) {
    if (options.raw()
        || depth >= options.depth()
        || depth >= DEPTH_LIMIT
        || nodes > NODE_LIMIT
        || !(value instanceof Value.Ref ref)
        || !(value.type().resolved() instanceof CompositeType type)
        || !type.isCxx()) {
      return Optional.empty();
    }
    return Presenters.installed()
        .of(ref, type)
        .map(
            presentation ->
                switch (presentation) {
                  case Presentation.Text text -> read(texts.of(text));
                  case Presentation.Words words ->
                      read(new Datum.Presented(words.text(), Datum.Form.FIELDS, List.of(), false));
                  case Presentation.Stand stand -> stand(stand, depth);
                  case Presentation.Parts parts -> parts(parts, depth);
                });
  }

  private Shape stand(Presentation.Stand stand, int depth) {
    var shape = shape(stand.value(), depth + 1);
    return switch (shape) {
      case Datum.Presented p ->
          new Datum.Presented(stand.prefix() + p.summary(), p.form(), p.parts(), p.cut());
      case Datum.Leaf _,
          Datum.Characters _,
          Datum.Composite _,
          Datum.Elements _,
          Datum.Reference _,
          Datum.Declared _ ->
          shape;
    };
  }

  /** The parts up to the limit, or up to the first that is not there at all. */
  private Shape parts(Presentation.Parts from, int depth) {
    long limit =
        options.arrayMembers().isPresent() ? options.arrayMembers().getAsInt() : NODE_LIMIT;
    var shown = new ArrayList<Datum.Part>();
    boolean cut = false;
    read++;
    try {
      while (from.parts().hasNext()) {
        if (shown.size() >= limit || nodes >= NODE_LIMIT) {
          cut = true;
          break;
        }
        int readBefore = read;
        int unreadableBefore = unreadable;
        var part = from.parts().next();
        var key = part.key().map(k -> node(Optional.empty(), k, depth + 1));
        shown.add(new Datum.Part(key, node(part.name(), part.value(), depth + 1)));
        if (read == readBefore && unreadable > unreadableBefore) {
          cut = from.parts().hasNext();
          break;
        }
      }
    } catch (FaultException | BadDataException e) {
      if (unreadable++ == 0) {
        firstFault = e.getMessage();
      }
      var why = e instanceof BadDataException bad ? bad.what() : e.getMessage();
      shown.add(
          new Datum.Part(
              Optional.empty(),
              new Node(Optional.empty(), Optional.empty(), OptionalLong.empty(), absent(why))));
    }
    return new Datum.Presented(from.summary(), from.form(), shown, cut);
  }

  /** A scalar in the format that was asked for. */
  private Optional<Shape> lettered(Value value) {
    if (options.letter().isEmpty()) {
      return Optional.empty();
    }
    return switch (value.type().resolved()) {
      case IntType _, BoolType _, EnumType _, PointerType _, FloatType _ ->
          Optional.of(
              new Datum.Leaf(
                  Cell.text(LetterFormat.of(value, options.letter().get(), false)),
                  Optional.empty()));
      case ArrayType _,
          CompositeType _,
          FunctionType _,
          OpaqueType _,
          QualifiedType _,
          TypedefType _,
          VoidType _ ->
          Optional.empty();
    };
  }

  /** A pointer or function that is all there is to show, with its type as gdb writes it. */
  private Optional<Shape> root(Value value) {
    var type = value.type().resolved();
    if (type instanceof PointerType p
        && !(p.target().resolved() instanceof IntType i && i.character())
        && WideText.prefix(p.target()).isEmpty()) {
      long target = value.asLong();
      var text = "(" + value.type().text() + ") 0x" + Long.toHexString(target) + name(target);
      return Optional.of(new Datum.Leaf(new Cell.Symbolic(target, text), Optional.empty()));
    }
    if (type instanceof FunctionType && value instanceof Value.Ref ref) {
      long entry = ref.address();
      var text = "{" + value.type().text() + "} 0x" + Long.toHexString(entry) + name(entry);
      return Optional.of(new Datum.Leaf(new Cell.Symbolic(entry, text), Optional.empty()));
    }
    return Optional.empty();
  }

  private String name(long address) {
    return address == 0
        ? ""
        : program.symbols().at(address).map(l -> " <" + l.text() + ">").orElse("");
  }

  private Shape read(Shape shape) {
    read++;
    return shape;
  }

  private static Shape absent(String why) {
    return new Datum.Leaf(new Cell.Absent(why), Optional.empty());
  }

  private Shape composite(Value.Ref ref, CompositeType type, int depth) {
    if (depth >= options.depth() || depth >= DEPTH_LIMIT || nodes > NODE_LIMIT) {
      return new Datum.Leaf(Cell.text("{ ... }"), Optional.empty());
    }
    var members = new ArrayList<Node>();
    if (type.isCxx()) {
      virtualBases(ref, type, depth, members);
    }
    long end = 0;
    int fields = 0;
    for (var member : type.members()) {
      if (!member.isBase()) {
        statics(type, fields++, depth, members);
      }
      if (options.holes() && type.kind() != CompositeType.Kind.UNION) {
        hole(ref.address(), end, member.bitOffset()).ifPresent(members::add);
        end = member.bitOffset() + bits(member);
      }
      members.add(node(Optional.of(label(member)), part(ref, member), depth + 1));
    }
    if (options.holes() && type.kind() != CompositeType.Kind.UNION) {
      hole(ref.address(), end, type.bytes() * 8).ifPresent(members::add);
    }
    statics(type, fields, depth, members);
    if (members.isEmpty() && type.isCxx()) {
      return read(new Datum.Leaf(Cell.text("{<No data fields>}"), Optional.empty()));
    }
    return new Datum.Composite(members);
  }

  /** A virtual base is shown where it is met first; it is one for the whole object. */
  private void virtualBases(Value.Ref ref, CompositeType type, int depth, List<Node> members) {
    for (var base : type.virtualBases()) {
      var label = Optional.of("<" + base.type().text() + ">");
      try {
        if (ref.virtualBase(base) instanceof Value.Ref part
            && part.type().resolved() instanceof CompositeType c
            && seen.add(c.name() + "@" + part.address())) {
          members.add(node(label, part, depth + 1));
        }
      } catch (FaultException e) {
        if (unreadable++ == 0) {
          firstFault = e.getMessage();
        }
        members.add(
            new Node(label, Optional.empty(), OptionalLong.empty(), absent(e.reason().text())));
      }
    }
  }

  /** The shared members that are declared in front of a field, as gdb shows them. */
  private void statics(CompositeType type, int before, int depth, List<Node> members) {
    if (options.style() == Datum.Style.MDB || !type.isCxx()) {
      return;
    }
    for (var member : type.statics()) {
      if (member.before() != before) {
        continue;
      }
      var label = Optional.of("static " + member.name());
      var value = Statics.value(program, type, member);
      if (value.isEmpty()) {
        members.add(leaf(label, absent("optimized out")));
      } else if (seen.add(type.name() + "::" + member.name()) || !value.get().isComposite()) {
        members.add(node(label, value.get(), depth + 1));
      } else {
        members.add(leaf(label, absent("as in an object of this class above")));
      }
    }
  }

  private static Shape leaf(String text) {
    return new Datum.Leaf(Cell.text(text), Optional.empty());
  }

  private static Node leaf(Optional<String> name, Shape shape) {
    return new Node(name, Optional.empty(), OptionalLong.empty(), shape);
  }

  private String label(Member member) {
    if (member.isBase()) {
      return "<" + member.type().text() + ">";
    }
    if (!member.name().isEmpty()) {
      return member.name();
    }
    return options.style() == Datum.Style.MDB ? "(anon)" : "{...}";
  }

  private static long bits(Member member) {
    return member.isBitField() ? member.bitSize() : member.type().bytes() * 8;
  }

  private Optional<Node> hole(long start, long end, long next) {
    if (next <= end) {
      return Optional.empty();
    }
    long size = next - end;
    var text = size % 8 == 0 ? size / 8 + " bytes" : size + " bits";
    var address = options.addresses() ? OptionalLong.of(start + end / 8) : OptionalLong.empty();
    return Optional.of(
        new Node(
            Optional.of("<<HOLE>>"),
            Optional.empty(),
            address,
            new Datum.Leaf(Cell.text(text), Optional.empty())));
  }

  private Value part(Value.Ref ref, Member member) {
    return new Value.Ref(
        program,
        member.type(),
        ref.space(),
        ref.address() + member.byteOffset(),
        (int) (member.bitOffset() % 8),
        member.bitSize());
  }

  private Shape array(Value.Ref ref, ArrayType type, int depth) {
    long total = type.count().orElse(0);
    var element = type.element();
    boolean wide = WideText.prefix(element).isPresent();
    if (options.letter().isEmpty()
        && element.resolved() instanceof IntType i
        && (i.character() || wide)) {
      // Where nobody says how long a variable is its text ends at a NUL.
      var text =
          type.count().isEmpty() && depth == 0 && !wide
              ? texts.at(ref.space(), ref.address()).map(ValueTree::leaf)
              : texts.ofArray(ref, type);
      if (text.isPresent()) {
        return read(text.get());
      }
    }
    long limit = options.arrayMembers().isPresent() ? options.arrayMembers().getAsInt() : total;
    long shown = Math.min(total, limit);
    var elements = new ArrayList<Node>();
    for (long i = 0; i < shown && nodes < NODE_LIMIT; i++) {
      var part = ref.index(i);
      // Elements of structures show their index; those of plain arrays do not.
      elements.add(node(Optional.empty(), part, depth + 1));
    }
    return new Datum.Elements(elements, total);
  }

  private Shape integer(Value value, IntType type) {
    if (type.bytes() > 8 && !isBitField(value)) {
      return new Datum.Leaf(Cell.text(value.asInteger().toString()), Optional.empty());
    }
    long bits = value.asLong();
    if (type.character() && !isBitField(value)) {
      return character(bits, type);
    }
    long width = value instanceof Value.Ref ref && ref.bitSize() != 0 ? ref.bitSize() : size(type);
    return new Datum.Leaf(number(bits, width, type.signed()), Optional.empty());
  }

  private static long size(CType type) {
    return Math.clamp(type.bytes() * 8, 1, 64);
  }

  private static boolean isBitField(Value value) {
    return value instanceof Value.Ref ref && ref.bitSize() != 0;
  }

  /** A number of {@code width} bits, of which only decimal shows the sign. */
  private Cell number(long bits, long width, boolean signed) {
    if (options.radix() == Cell.Radix.DECIMAL) {
      return new Cell.Int(bits, options.radix(), signed, options.style() == Datum.Style.MDB);
    }
    int unused = (int) (64 - width);
    return new Cell.Int(bits << unused >>> unused, options.radix(), false, true);
  }

  private Shape character(long bits, IntType type) {
    if (options.style() != Datum.Style.MDB) {
      boolean shown = bits >= ' ' && bits < 0x7f;
      var note =
          type.bytes() == 1
              ? Optional.of(CharacterText.character(bits))
              : WideText.prefix(type)
                  .filter(_ -> shown)
                  .map(prefix -> prefix + "'" + (char) bits + "'");
      return new Datum.Leaf(number(bits, size(type), type.signed()), note);
    }
    boolean shown = bits >= ' ' && bits < 0x7f;
    return new Datum.Leaf(
        shown ? Cell.text("'" + (char) bits + "'") : number(bits & 0xff, 8, false),
        Optional.empty());
  }

  private Shape bool(Value value) {
    long bits = value.asLong();
    if (options.style() != Datum.Style.MDB && bits <= 1 && bits >= 0) {
      return new Datum.Leaf(new Cell.Flag(bits != 0), Optional.empty());
    }
    return new Datum.Leaf(number(bits, 8, false), Optional.empty());
  }

  private Shape enumeration(Value value, EnumType type) {
    long bits = value.asLong();
    var name = EnumText.of(type, bits, options.style());
    if (options.style() != Datum.Style.MDB && name.isPresent()) {
      return new Datum.Leaf(Cell.text(name.get()), Optional.empty());
    }
    return new Datum.Leaf(number(bits, size(type), type.signed()), name.map(n -> "(" + n + ")"));
  }

  private Optional<String> memberPointer(Value value) {
    return options.raw() ? Optional.empty() : MemberPointerText.of(value);
  }

  /** As gdb writes them: {@code 1 + 2i}, {@code 1 + -2i}. */
  private Shape complex(Value value) {
    var text = part(value.member("real")) + " + " + part(value.member("imag")) + "i";
    return read(leaf(text));
  }

  private String part(Value number) {
    if (options.letter().isPresent()) {
      return LetterFormat.of(number, options.letter().get(), false);
    }
    return number.type().resolved() instanceof FloatType f
        ? number.asReal().text(FloatFormat.of(f, program).digits())
        : number.asInteger().toString();
  }

  private Shape pointer(Value value, PointerType type) {
    long target = value.asLong();
    var symbol =
        options.symbols() && target != 0
            ? program.symbols().at(target).map(l -> l.text())
            : Optional.<String>empty();
    var string = texts.behind(target, type);
    if (options.style() != Datum.Style.MDB) {
      // crash and gdb write small ones so, too.
      var cell =
          Long.compareUnsigned(target, 10) < 0
              ? new Cell.Symbolic(target, "0x" + Long.toHexString(target))
              : Cell.hex(target);
      return new Datum.Leaf(cell, string.or(() -> symbol.map(s -> "<" + s + ">")));
    }
    return new Datum.Leaf(
        symbol.isPresent() ? new Cell.Symbolic(target, symbol.get()) : Cell.hex(target), string);
  }

  private Shape floating(Value value, FloatType type) {
    var number = value.asReal();
    var text = number.text(FloatFormat.of(type, program).digits());
    return new Datum.Leaf(
        options.style() == Datum.Style.MDB && type.bytes() <= 8
            ? new Cell.Real(number.toDouble())
            : Cell.text(text),
        Optional.empty());
  }

  private Shape function(Value.Ref ref) {
    return new Datum.Leaf(
        Cell.hex(ref.address()), Optional.of("<" + program.symbols().text(ref.address()) + ">"));
  }
}
