// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.kallsyms;

import dev.fathom.base.ByteSource;

/**
 * Where the tables stand in a byte source that holds kernel memory. All positions are byte offsets
 * in that source.
 *
 * @param numSyms {@code kallsyms_num_syms}: 32 bits, before 4.20 64 bits
 * @param names {@code kallsyms_names}
 * @param tokenTable {@code kallsyms_token_table}
 * @param tokenIndex {@code kallsyms_token_index}
 * @param addresses the table of addresses, in whichever form this kernel has it
 */
public record KallsymsPositions(
    long numSyms, long names, long tokenTable, long tokenIndex, Addresses addresses) {

  /** The forms of the table of addresses. */
  public sealed interface Addresses {
    /** The address of each of {@code count} symbols. */
    long[] read(ByteSource memory, int count);

    /**
     * {@code kallsyms_addresses}: 64-bit addresses, relocated at boot (before 6.11, without
     * BASE_RELATIVE).
     */
    record Absolute(long addresses) implements Addresses {
      @Override
      public long[] read(ByteSource memory, int count) {
        return Kallsyms.absolute(memory, addresses, count);
      }
    }

    /**
     * {@code kallsyms_offsets}, 32 bits each, and {@code kallsyms_relative_base}, 64 bits (4.6
     * until 6.19). The base is a relocated pointer: in memory it already holds the address that
     * KASLR chose.
     */
    record BaseRelative(long offsets, long relativeBase) implements Addresses {
      @Override
      public long[] read(ByteSource memory, int count) {
        int[] table = Kallsyms.offsets(memory, offsets, count);
        return Kallsyms.relative(table, Kallsyms.u64(memory, relativeBase));
      }
    }

    /**
     * {@code kallsyms_offsets}, each relative to its own place (7.0 and later, which have no {@code
     * kallsyms_relative_base}).
     *
     * @param address the virtual address of {@code kallsyms_offsets} itself
     */
    record PlaceRelative(long offsets, long address) implements Addresses {
      @Override
      public long[] read(ByteSource memory, int count) {
        return Kallsyms.placeRelative(Kallsyms.offsets(memory, offsets, count), address);
      }
    }
  }
}
