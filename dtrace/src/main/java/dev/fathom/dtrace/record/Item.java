// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.record;

import java.util.List;

/**
 * The values for one action of a clause.
 *
 * @param action index into the clause's {@link dev.fathom.dtrace.ir.Clause#actions()}
 * @param values as many as the action's {@link dev.fathom.dtrace.ir.Action#shapes()}
 */
public record Item(int action, List<DValue> values) {
  public Item {
    values = List.copyOf(values);
  }
}
