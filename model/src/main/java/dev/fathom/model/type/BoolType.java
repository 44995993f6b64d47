// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

/** C's {@code _Bool}. */
public record BoolType(String name, long bytes) implements CType {}
