// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.testkit.BtfWriter;
import java.util.HashMap;
import java.util.Map;

/**
 * Types for tests, written as text: {@code task_struct 192: pid int 40, comm char[16] 88, tasks
 * list_head 24}. A star stands for any pointer, {@code *[64]} for an array of them.
 */
final class TypesText {
  private final BtfWriter writer = new BtfWriter();
  private final Map<String, Integer> ids = new HashMap<>();
  private final Map<String, Integer> sizes = new HashMap<>();
  private final Map<String, Integer> offsets = new HashMap<>();

  TypesText() {
    base("int", 4, 1);
    base("unsigned int", 4, 0);
    base("long int", 8, 1);
    base("long unsigned int", 8, 0);
    base("unsigned char", 1, 0);
    base("short unsigned int", 2, 0);
    base("char", 1, 0);
    ids.put("*", writer.pointer(0));
    sizes.put("*", 8);
  }

  private void base(String name, int bytes, int encoding) {
    ids.put(name, writer.integer(name, bytes, encoding));
    sizes.put(name, bytes);
  }

  /** Adds a structure; returns this. */
  TypesText struct(String text) {
    var head = text.substring(0, text.indexOf(':')).split(" ");
    var members = text.substring(text.indexOf(':') + 1).split(",");
    var types = new int[members.length];
    var names = new String[members.length];
    var places = new int[members.length];
    for (int i = 0; i < members.length; i++) {
      var words = members[i].strip();
      int first = words.indexOf(' ');
      int last = words.lastIndexOf(' ');
      names[i] = words.substring(0, first);
      places[i] = Integer.parseInt(words.substring(last + 1));
      types[i] = type(words.substring(first + 1, last).strip());
      offsets.put(head[0] + "." + names[i], places[i]);
    }
    int size = Integer.parseInt(head[1]);
    ids.put(head[0], writer.struct(head[0], size, members.length));
    sizes.put(head[0], size);
    for (int i = 0; i < members.length; i++) {
      writer.member(names[i], types[i], places[i] * 8L);
    }
    return this;
  }

  /** Adds an enumeration, of 64 bits where an int does not hold its values; returns this. */
  TypesText enumeration(String name, Map<String, Long> values) {
    if (values.values().stream().allMatch(value -> value == value.intValue())) {
      writer.enumeration(name, 4, false, values.size());
      values.forEach((constant, value) -> writer.value(constant, value.intValue()));
    } else {
      writer.enumeration64(name, 8, true, values.size());
      values.forEach(writer::value64);
    }
    return this;
  }

  private int type(String text) {
    int bracket = text.indexOf('[');
    if (bracket < 0) {
      return ids.get(text);
    }
    long count = Long.parseLong(text.substring(bracket + 1, text.length() - 1));
    return writer.array(ids.get(text.substring(0, bracket)), ids.get("int"), count);
  }

  /** The members of a structure and their offsets. */
  Map<String, Integer> members(String struct) {
    var members = new HashMap<String, Integer>();
    offsets.forEach(
        (path, offset) -> {
          if (path.startsWith(struct + ".")) {
            members.put(path.substring(struct.length() + 1), offset);
          }
        });
    return members;
  }

  /** The offset of {@code struct.member}. */
  int offset(String member) {
    return offsets.get(member);
  }

  int size(String struct) {
    return sizes.get(struct);
  }

  byte[] btf() {
    return writer.bytes();
  }
}
