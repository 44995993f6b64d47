// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * Tells the length of an instruction and where it leads, much faster than a {@link Disassembler}
 * can. Implementations may keep scratch state: one thread at a time.
 */
public interface FlowDecoder {
  /**
   * Decodes one instruction.
   *
   * @param code bytes of code
   * @param offset where the instruction starts in {@code code}
   * @param end where the readable code ends in {@code code}, exclusive
   * @param address the virtual address of the first byte of the instruction
   * @return empty when the bytes are not an instruction, or it does not end before {@code end}
   * @throws IndexOutOfBoundsException when {@code offset} and {@code end} do not lie in {@code
   *     code}
   */
  Optional<Flow> decode(byte[] code, int offset, int end, long address);

  /** Length in bytes of the longest instruction. */
  int longest();

  /**
   * The call that ends where a suspected return address points. Several calls can end at one place
   * ({@code ff d0} is the end of {@code 41 ff d0}); one with a known target wins, then the
   * shortest.
   *
   * @param code the bytes before the return address; {@link #longest} of them are enough
   * @param end the index in {@code code} of the byte at the return address
   * @param address the suspected return address
   */
  default Optional<Flow> callBefore(byte[] code, int end, long address) {
    Optional<Flow> best = Optional.empty();
    for (int length = 1; length <= Math.min(longest(), end); length++) {
      var flow = decode(code, end - length, end, address - length);
      if (flow.isPresent() && flow.get().length() == length && flow.get().kind().isCall()) {
        if (flow.get().target().isPresent()) {
          return flow;
        }
        if (best.isEmpty()) {
          best = flow;
        }
      }
    }
    return best;
  }

  /**
   * The likely length of the instruction that ends at {@code end}, where no earlier boundary is
   * known: decoding falls into step after a few instructions wherever it starts, so most starting
   * points agree. Use a function's start instead when there is one.
   *
   * @param code the bytes before; a few times {@link #longest} of them
   * @param address the virtual address of the byte at {@code end}
   * @return empty when no starting point leads to {@code end}
   */
  default OptionalInt lengthBefore(byte[] code, int end, long address) {
    int[] votes = new int[longest() + 1];
    for (int start = Math.max(0, end - 6 * longest()); start < end; start++) {
      int last = 0;
      int at = start;
      while (at < end) {
        var flow = decode(code, at, end, address - (end - at));
        if (flow.isEmpty()) {
          break;
        }
        last = flow.get().length();
        at += last;
      }
      if (at == end) {
        votes[last]++;
      }
    }
    int best = 0;
    for (int length = 1; length < votes.length; length++) {
      if (votes[length] > votes[best]) {
        best = length;
      }
    }
    return best == 0 ? OptionalInt.empty() : OptionalInt.of(best);
  }
}
