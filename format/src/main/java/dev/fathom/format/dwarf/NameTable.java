// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import java.util.List;
import java.util.Optional;

/**
 * A table in a file that says in which units a name is: {@code .debug_names} or {@code .gdb_index}.
 * Linkers, compilers and gdb write them. No table has everything that the units say, and none says
 * all that must be known of an entry, so a unit that a table names is read, and a name that it does
 * not have may still be somewhere.
 */
public sealed interface NameTable permits GdbIndex, DebugNames {
  /** The section, for messages. */
  String name();

  /**
   * The units that a name is in by a table, each list in the order of the sections.
   *
   * @param types those where it is a type, or may be one
   * @param values those where it is a variable, function or enumerator, or may be one
   */
  record Listed(List<Unit> types, List<Unit> values) {
    public Listed {
      types = List.copyOf(types);
      values = List.copyOf(values);
    }
  }

  /**
   * Where a name is by the table.
   *
   * @param qualifiedName such as {@code task_struct} or {@code std::vector<int>}
   * @throws dev.fathom.base.BadDataException when the table is damaged where the name would be
   */
  Listed find(String qualifiedName);

  /** Which unit's code is where, when the table says that too. */
  Optional<AddressRanges> addresses();
}
