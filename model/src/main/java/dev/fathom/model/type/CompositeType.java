// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.List;
import java.util.function.Supplier;

/** A structure, union or class with its members in order of declaration. */
public final class CompositeType implements CType {
  public enum Kind {
    STRUCT("struct"),
    UNION("union"),
    CLASS("class");

    private final String keyword;

    Kind(String keyword) {
      this.keyword = keyword;
    }

    public String keyword() {
      return keyword;
    }
  }

  private final Kind kind;
  private final String name;
  private final long bytes;
  private Supplier<List<Member>> supplier;
  private List<Member> members;

  /**
   * @param name the tag; empty when anonymous
   * @param members called once, when the members are first asked for
   */
  public CompositeType(Kind kind, String name, long bytes, Supplier<List<Member>> members) {
    this.kind = kind;
    this.name = name;
    this.bytes = bytes;
    this.supplier = members;
  }

  public Kind kind() {
    return kind;
  }

  public String name() {
    return name;
  }

  @Override
  public long bytes() {
    return bytes;
  }

  public List<Member> members() {
    if (members == null) {
      members = List.copyOf(supplier.get());
      supplier = null;
    }
    return members;
  }

  @Override
  public String toString() {
    return text();
  }
}
