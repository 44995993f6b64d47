// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.dwarf;

import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.Die;
import dev.fathom.format.dwarf.Tag;
import dev.fathom.model.type.Access;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.Member;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** What structures, unions and classes have by their entries. */
final class Members {
  /** How deep variant parts may nest; deeper is a cycle. */
  private static final int NESTING_LIMIT = 64;

  // DW_ACCESS_*, DWARF 5, section 7.9
  private static final int ACCESS_PROTECTED = 2;
  private static final int ACCESS_PRIVATE = 3;

  // DW_CC_*, DWARF 5, section 7.15
  private static final int PASS_BY_REFERENCE = 4;
  private static final int PASS_BY_VALUE = 5;

  /** DW_DEFAULTED_in_class, DWARF 5, section 7.24. */
  private static final int DEFAULTED_IN_CLASS = 1;

  /** Names of a type, one behind the other, that are asked for its alignment. */
  private static final int MAX_NAMES = 8;

  /** Makes types of entries. */
  interface Types {
    /** The type that an entry describes. */
    CType of(Die die);

    /** The type that an entry's {@code DW_AT_type} leads to. */
    CType named(Die die);
  }

  private final Types types;

  Members(Types types) {
    this.types = types;
  }

  /** The bases and then the fields. */
  List<Member> members(Die die) {
    var bases = new ArrayList<Member>();
    var fields = new ArrayList<Member>();
    members(die, bases, fields, 0);
    bases.addAll(fields);
    return bases;
  }

  private void members(Die die, List<Member> bases, List<Member> fields, int depth) {
    for (var child = die.firstChild(); child.isPresent(); child = child.get().next()) {
      var member = child.get();
      switch (member.tag()) {
        case Tag.MEMBER -> {
          if (!isStatic(member)) {
            fields.add(member(die, member));
          }
        }
        case Tag.INHERITANCE -> {
          // Where a virtual base is only the object itself tells.
          if (member.number(At.VIRTUALITY).orElse(0) == 0) {
            long at = Places.ofMember(member).orElse(0);
            bases.add(
                new Member(
                    "", types.named(member), 8 * at, 0, Member.Kind.BASE, access(member, die)));
          }
        }
        case Tag.VARIANT_PART, Tag.VARIANT -> {
          if (depth < NESTING_LIMIT) {
            members(member, bases, fields, depth + 1);
          }
        }
        default -> {}
      }
    }
  }

  /** Who may use a part of a class; where nothing is told, the keyword of the class decides. */
  private static Access access(Die part, Die composite) {
    var told = part.number(At.ACCESSIBILITY);
    if (told.isEmpty()) {
      return composite.tag() == Tag.CLASS_TYPE ? Access.PRIVATE : Access.PUBLIC;
    }
    return switch ((int) told.getAsLong()) {
      case ACCESS_PROTECTED -> Access.PROTECTED;
      case ACCESS_PRIVATE -> Access.PRIVATE;
      default -> Access.PUBLIC;
    };
  }

  /** Before DWARF 5 static members were members as well. */
  private static boolean isStatic(Die member) {
    return member.flag(At.EXTERNAL) || member.flag(At.DECLARATION);
  }

  private Member member(Die composite, Die member) {
    var type = types.named(member);
    var name = member.name().orElse("");
    var access = access(member, composite);
    var bits = member.number(At.BIT_SIZE);
    int width = bits.isEmpty() ? 0 : Math.clamp(bits.getAsLong(), 0, Integer.MAX_VALUE);
    if (bits.isPresent() && (width == 0 || width > 8 * 32)) {
      throw member.unit().bad(member.offset(), "bit-field has " + bits.getAsLong() + " bits");
    }
    var inBits = member.number(At.DATA_BIT_OFFSET);
    if (inBits.isPresent()) { // DWARF 4 and later
      return field(name, type, inBits.getAsLong(), width, access);
    }
    long at = 8 * Places.ofMember(member).orElse(0);
    var inUnit = member.number(At.BIT_OFFSET);
    if (inUnit.isEmpty()) {
      return field(name, type, at, width, access);
    }
    // DWARF 2 and 3: counted from the most significant bit of a storage unit of byte_size bytes.
    long fromTop = inUnit.getAsLong();
    if (composite.unit().encoding().order() == ByteOrder.BIG_ENDIAN) {
      return field(name, type, at + fromTop, width, access);
    }
    long unit = 8 * DwarfTypeSource.bytes(member, type.bytes());
    return field(name, type, at + unit - fromTop - width, width, access);
  }

  private static Member field(String name, CType type, long at, int width, Access access) {
    return new Member(name, type, at, width, Member.Kind.FIELD, access);
  }

  /** What only classes of C++ have. */
  CompositeType.ClassParts parts(Die die) {
    var statics = new ArrayList<CompositeType.StaticMember>();
    var arguments = new ArrayList<CompositeType.TemplateArgument>();
    var bases = new ArrayList<CompositeType.VirtualBase>();
    var methods = new ArrayList<CompositeType.Method>();
    int fields = 0;
    long alignment = alignment(die);
    for (var child = die.firstChild(); child.isPresent(); child = child.get().next()) {
      var part = child.get();
      switch (part.tag()) {
        case Tag.MEMBER, Tag.VARIABLE -> {
          if (part.tag() == Tag.VARIABLE || isStatic(part)) {
            statics.add(
                new CompositeType.StaticMember(
                    part.name().orElse(""),
                    types.named(part),
                    part.string(At.LINKAGE_NAME).or(() -> part.string(At.MIPS_LINKAGE_NAME)),
                    Places.constant(part),
                    access(part, die),
                    fields));
          } else {
            fields++;
            alignment = Math.max(alignment, memberAlignment(part));
          }
        }
        case Tag.INHERITANCE -> {
          var slot = Places.slot(part);
          if (part.number(At.VIRTUALITY).orElse(0) != 0 && slot.isPresent()) {
            bases.add(
                new CompositeType.VirtualBase(
                    types.named(part), access(part, die), slot.getAsLong()));
          }
        }
        case Tag.SUBPROGRAM -> {
          if (!part.flag(At.ARTIFICIAL) && types.of(part) instanceof FunctionType function) {
            methods.add(
                new CompositeType.Method(
                    part.name().orElse(""),
                    function,
                    access(part, die),
                    part.number(At.VIRTUALITY).orElse(0) != 0,
                    !hasObject(part),
                    body(part),
                    part.string(At.LINKAGE_NAME).or(() -> part.string(At.MIPS_LINKAGE_NAME)),
                    Places.ofFunction(part)));
          }
        }
        default -> arguments(part, arguments, 0);
      }
    }
    var passing =
        new CompositeType.Passing(
            byValue(die), alignment > 0 ? OptionalLong.of(alignment) : OptionalLong.empty());
    return new CompositeType.ClassParts(statics, arguments, bases, methods, passing);
  }

  /** Whether objects are passed as their bytes, where clang tells. */
  private static Optional<Boolean> byValue(Die die) {
    long told = die.number(At.CALLING_CONVENTION).orElse(0);
    return told == PASS_BY_VALUE
        ? Optional.of(true)
        : told == PASS_BY_REFERENCE ? Optional.of(false) : Optional.empty();
  }

  private static CompositeType.Body body(Die method) {
    if (method.flag(At.DELETED)) {
      return CompositeType.Body.DELETED;
    }
    return method.number(At.DEFAULTED).orElse(0) == DEFAULTED_IN_CLASS
        ? CompositeType.Body.DEFAULTED
        : CompositeType.Body.OWN;
  }

  /** What the program asked for; 0 when it did not. */
  private static long alignment(Die die) {
    return Math.max(0, die.number(At.ALIGNMENT).orElse(0));
  }

  /** That of a member, or of a name that its type has. */
  private static long memberAlignment(Die member) {
    long most = alignment(member);
    var type = member.reference(At.TYPE);
    for (int i = 0; i < MAX_NAMES && type.isPresent(); i++) {
      var at = type.get();
      switch (at.tag()) {
        case Tag.TYPEDEF, Tag.CONST_TYPE, Tag.VOLATILE_TYPE, Tag.ARRAY_TYPE -> {
          most = Math.max(most, alignment(at));
          type = at.reference(At.TYPE);
        }
        default -> {
          return most;
        }
      }
    }
    return most;
  }

  /** Whether a method is of an object; clang says so only by the parameter that nobody wrote. */
  private static boolean hasObject(Die method) {
    if (method.has(At.OBJECT_POINTER)) {
      return true;
    }
    for (var child = method.firstChild(); child.isPresent(); child = child.get().next()) {
      switch (child.get().tag()) {
        case Tag.FORMAL_PARAMETER -> {
          return child.get().flag(At.ARTIFICIAL);
        }
        case Tag.TEMPLATE_TYPE_PARAMETER,
            Tag.TEMPLATE_VALUE_PARAMETER,
            Tag.GNU_TEMPLATE_PARAMETER_PACK,
            Tag.GNU_TEMPLATE_TEMPLATE_PARAM -> {}
        default -> {
          return false;
        }
      }
    }
    return false;
  }

  private void arguments(Die part, List<CompositeType.TemplateArgument> arguments, int depth) {
    switch (part.tag()) {
      case Tag.TEMPLATE_TYPE_PARAMETER, Tag.TEMPLATE_VALUE_PARAMETER ->
          arguments.add(
              new CompositeType.TemplateArgument(
                  part.name().orElse(""), types.named(part), part.number(At.CONST_VALUE)));
      case Tag.GNU_TEMPLATE_PARAMETER_PACK -> {
        if (depth == 0) {
          part.children().forEach(inner -> arguments(inner, arguments, 1));
        }
      }
      default -> {}
    }
  }
}
