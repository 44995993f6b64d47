// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.source;

import dev.fathom.base.Range;
import java.util.List;
import java.util.Optional;

/**
 * What debug information knows of the source of some code. Addresses are the target's. Damaged
 * information about one thing counts as none and is remembered in {@link #problems}; no method
 * throws for it.
 */
public interface SourceInfo {
  /** Knows nothing. */
  SourceInfo NONE = new SourceInfos(List::of);

  /** {@code dwarf}, {@code dwarf:virtio_blk}: for messages. */
  String name();

  /** Whether it describes the code at {@code pc}. */
  boolean covers(long pc);

  /** The source line of the instruction at {@code pc}. */
  Optional<SourceLine> line(long pc);

  /** The addresses around {@code pc} that are of the same line without a gap. */
  Optional<Range> lineRange(long pc);

  /** Whether a statement of the source begins with the instruction at {@code pc}. */
  boolean beginsStatement(long pc);

  /**
   * Where the body of a function begins that starts at {@code entry}: behind what makes its frame,
   * when the variables are in place only then; {@code entry} itself where they are at once, as in
   * optimised code, or where no function starts there.
   */
  long body(long entry);

  /**
   * The functions at work at {@code pc}, innermost first; the last one is not inlined. None where
   * the code is not described.
   */
  List<Activation> activations(long pc);

  /**
   * The calls between a function at work and the one that it returns to which have left the stack,
   * each the last thing that its function did: the addresses behind them, innermost first. None
   * where the function was called from there, where it is not sure by what way, and where it
   * returns to code that other debug information describes.
   *
   * @param callee where the function at work is
   * @param back where it returns to
   */
  default List<Long> tailCalls(long callee, long back) {
    return List.of();
  }

  /**
   * Where the code of a line begins, one place for each function that has code of it: of the line
   * itself or, if it has no code, of the next one that has.
   *
   * @param file a path or the end of one, at a slash
   */
  List<Place> places(String file, int line);

  /** A place in the code that a line begins at. */
  record Place(long address, SourceLine line, String function) {}

  /**
   * Where functions of a name begin that have code: their own, under whatever symbols, and the
   * copies that were inlined into others.
   *
   * @param name with the namespaces and classes that it is in; in C++ it may have parameters behind
   *     it, as symbols have them
   * @param limit when so many are found, no more are looked for
   */
  List<FunctionCode> functions(String name, int limit);

  /**
   * The code of a function.
   *
   * @param address its first
   * @param function its name
   * @param inlined whether it is in another function's code
   * @param declared where the source has the function
   */
  record FunctionCode(
      long address, String function, boolean inlined, Optional<SourceLine> declared) {}

  /** What was found damaged so far, one line each. */
  List<String> problems();
}
