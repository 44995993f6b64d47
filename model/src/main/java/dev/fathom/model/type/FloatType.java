// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

/** A binary floating-point number. */
public record FloatType(String name, long bytes) implements CType {}
