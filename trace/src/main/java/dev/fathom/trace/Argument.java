// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace;

/**
 * An argument of a tracepoint.
 *
 * @param name what it is called, an identifier of C, unique in its tracepoint; {@code arg0} and so
 *     on where nobody named it
 */
public record Argument(String name, ArgumentType type) {}
