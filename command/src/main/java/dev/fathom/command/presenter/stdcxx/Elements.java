// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.stdcxx;

import dev.fathom.base.LookupException;
import dev.fathom.command.presenter.Parts;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;

/** The elements of associative containers. */
final class Elements {
  private Elements() {}

  /**
   * The type of a map's elements, pairs of key and value: the second argument of the tree or table
   * that it is made of.
   */
  static CType pair(Value store) {
    if (store.type().resolved() instanceof CompositeType c) {
      var pair = Parts.typeArgument(c, 1);
      if (pair.resolved() instanceof CompositeType) {
        return pair;
      }
    }
    throw new LookupException("elements of", store.type().text());
  }
}
