// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

/**
 * What the probe side may use, by the names of D's options.
 *
 * @param strsize most bytes of a string
 * @param dynvarsize bytes for thread-local variables and associative arrays; what does not fit is
 *     dropped and counted
 * @param scratchsize bytes of {@code alloca} and {@code copyin} in one clause
 * @param nspec speculations at a time
 * @param stackframes frames of {@code stack()} without a number
 * @param ustackframes frames of {@code ustack()} without a number
 * @param destructive what changes the target is allowed ({@code -w})
 */
public record Limits(
    int strsize,
    long dynvarsize,
    int scratchsize,
    int nspec,
    int stackframes,
    int ustackframes,
    boolean destructive) {
  /** DTrace's. */
  public static final Limits DEFAULT = new Limits(256, 1 << 20, 64 << 10, 1, 20, 100, false);
}
