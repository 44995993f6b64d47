// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

/**
 * A whole number.
 *
 * @param character whether it holds characters ({@code char}, {@code signed char}, {@code unsigned
 *     char})
 */
public record IntType(String name, long bytes, boolean signed, boolean character)
    implements CType {}
