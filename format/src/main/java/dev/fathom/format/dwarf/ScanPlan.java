// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import java.util.Arrays;

/**
 * An abbreviation prepared for a fast pass: which values matter, and how many bytes lie between
 * them.
 */
final class ScanPlan {
  /** What a value is for. */
  static final int SKIP = 0;

  static final int NAME = 1;
  static final int SIZE = 2;
  static final int LINE = 3;
  static final int DECLARATION = 4;
  static final int SIBLING = 5;
  static final int ORIGIN = 6;
  static final int EXTERNAL = 7;
  static final int CODE = 8;
  static final int PLACE = 9;
  static final int INLINE = 10;
  static final int TYPE = 11;

  final int tag;
  final boolean hasChildren;

  /** What {@link DwarfNames} makes of entries of that tag. */
  final Names kind;

  /** For each step its role and form; {@code SKIP} with form 0 skips {@link #sizes}. */
  final int[] roles;

  final int[] forms;
  final long[] constants;

  /** The bytes of each step, or {@link Forms#VARIABLE}. */
  final int[] sizes;

  /** The bytes of all steps if that is fixed and there is nothing to look at, else -1. */
  final int fixedSize;

  private ScanPlan(
      int tag,
      boolean hasChildren,
      Names kind,
      int[] roles,
      int[] forms,
      long[] constants,
      int[] sizes) {
    this.tag = tag;
    this.hasChildren = hasChildren;
    this.kind = kind;
    this.roles = roles;
    this.forms = forms;
    this.constants = constants;
    this.sizes = sizes;
    this.fixedSize =
        roles.length == 0
            ? 0
            : roles.length == 1 && roles[0] == SKIP && sizes[0] >= 0 ? sizes[0] : -1;
  }

  /** What a pass over a unit does with an entry. */
  enum Names {
    NOTHING,
    SCOPE,
    BASE,
    TYPEDEF,
    STRUCT,
    UNION,
    ENUM,
    ENUMERATOR,
    VARIABLE,
    FUNCTION
  }

  static ScanPlan of(Abbreviation abbreviation, Encoding encoding) {
    Names kind = kind(abbreviation.tag());
    int count = abbreviation.forms().length;
    var roles = new int[count];
    var forms = new int[count];
    var constants = new long[count];
    var sizes = new int[count];
    int steps = 0;
    for (int i = 0; i < count; i++) {
      int form = abbreviation.forms()[i];
      int size = Forms.fixedSize(encoding, form);
      int role = role(abbreviation.names()[i]);
      if (kind == Names.NOTHING && role != SIBLING) {
        role = SKIP;
      }
      boolean joins =
          role == SKIP
              && size >= 0
              && steps > 0
              && roles[steps - 1] == SKIP
              && sizes[steps - 1] >= 0;
      if (joins) {
        sizes[steps - 1] += size;
        continue;
      }
      roles[steps] = role;
      forms[steps] = form;
      constants[steps] = abbreviation.constants()[i];
      sizes[steps] = size;
      steps++;
    }
    return new ScanPlan(
        abbreviation.tag(),
        abbreviation.hasChildren(),
        kind,
        Arrays.copyOf(roles, steps),
        Arrays.copyOf(forms, steps),
        Arrays.copyOf(constants, steps),
        Arrays.copyOf(sizes, steps));
  }

  private static Names kind(int tag) {
    return switch (tag) {
      case Tag.NAMESPACE, Tag.MODULE -> Names.SCOPE;
      case Tag.BASE_TYPE, Tag.UNSPECIFIED_TYPE -> Names.BASE;
      case Tag.TYPEDEF, Tag.TEMPLATE_ALIAS -> Names.TYPEDEF;
      case Tag.STRUCTURE_TYPE, Tag.CLASS_TYPE, Tag.INTERFACE_TYPE -> Names.STRUCT;
      case Tag.UNION_TYPE -> Names.UNION;
      case Tag.ENUMERATION_TYPE -> Names.ENUM;
      case Tag.ENUMERATOR -> Names.ENUMERATOR;
      case Tag.VARIABLE, Tag.MEMBER -> Names.VARIABLE;
      case Tag.SUBPROGRAM -> Names.FUNCTION;
      default -> Names.NOTHING;
    };
  }

  private static int role(int attribute) {
    return switch (attribute) {
      case At.NAME -> NAME;
      case At.BYTE_SIZE -> SIZE;
      case At.DECL_LINE -> LINE;
      case At.DECLARATION -> DECLARATION;
      case At.SIBLING -> SIBLING;
      case At.SPECIFICATION, At.ABSTRACT_ORIGIN -> ORIGIN;
      case At.EXTERNAL -> EXTERNAL;
      case At.LOW_PC, At.RANGES, At.ENTRY_PC -> CODE;
      case At.LOCATION, At.CONST_VALUE -> PLACE;
      case At.INLINE -> INLINE;
      case At.SIGNATURE -> TYPE;
      default -> SKIP;
    };
  }
}
