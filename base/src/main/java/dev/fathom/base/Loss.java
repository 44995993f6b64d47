// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

/**
 * What is missing from a result.
 *
 * @param what a sentence for the user, such as {@code threads whose stack is not in the dump}
 * @param count how many
 */
public record Loss(String what, long count) {}
