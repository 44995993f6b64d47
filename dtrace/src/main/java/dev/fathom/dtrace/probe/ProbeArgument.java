// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.probe;

import dev.fathom.model.type.CType;
import java.util.Optional;

/**
 * An element of {@code args[]}.
 *
 * @param source the {@code argN} that its value comes from, from 0
 * @param type what {@code argN} holds
 * @param translated the type that D sees, when a translator ({@code translator psinfo_t < struct
 *     task_struct *T >}) makes it; empty when it is {@code type} itself
 */
public record ProbeArgument(int source, CType type, Optional<String> translated) {
  public ProbeArgument(int source, CType type) {
    this(source, type, Optional.empty());
  }
}
