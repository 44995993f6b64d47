// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.osvt;

/**
 * One argument of a tracepoint.
 *
 * @param name as the file has it: OSv writes the argument's number, the first format has no names
 *     and this is empty
 * @param size bytes of the field; of a blob those of its length alone
 */
public record OsvArgument(String name, OsvType type, int size) {}
