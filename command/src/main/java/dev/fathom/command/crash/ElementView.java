// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.Cell;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.ValueTree;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What {@code list} and {@code tree} show of an element: {@code struct}, or {@code
 * struct.member,member}.
 */
final class ElementView {
  private final Invocation call;
  private final CType type;
  private final List<String> members;
  private final ValueTree.Options options;

  ElementView(Invocation call, String text, Cell.Radix radix) {
    this.call = call;
    this.options = ValueTree.Options.crash(radix);
    var named = Crash.typeAndMembers(call, text, "struct", "union");
    this.type = named.type();
    this.members = named.members();
  }

  /** The structure at {@code address} or its members, to be shown or for a pipe. */
  List<Item> of(long address) {
    var value = new Value.Ref(call.program(), type, address);
    var items = new ArrayList<Item>();
    if (members.isEmpty()) {
      items.add(
          call.toPipe()
              ? Item.value(value)
              : ValueTree.show(call, Optional.of(type.text()), value, options));
    }
    for (var path : members) {
      var member = Crash.member(call, value, path);
      items.add(
          call.toPipe()
              ? Item.contents(member)
              : ValueTree.show(call, Optional.of("  " + path), member, options));
    }
    return items;
  }
}
