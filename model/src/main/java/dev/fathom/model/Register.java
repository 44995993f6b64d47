// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

/**
 * A register of a {@link RegisterFile}.
 *
 * @param name its usual lower-case name
 * @param index its place in the file, from 0
 * @param bits its width; what is wider than 64 is not kept here
 */
public record Register(String name, int index, int bits) {}
