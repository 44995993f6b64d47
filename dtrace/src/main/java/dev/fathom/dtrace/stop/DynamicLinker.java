// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.FaultException;
import dev.fathom.format.elf.Elf;
import dev.fathom.model.Memory;
import dev.fathom.target.ProcessView;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The dynamic linker of a 64-bit process, as it lets debuggers know of libraries that come and go:
 * it calls a function that does nothing, and {@code struct r_debug} says what is going on (glibc
 * elf/link.h, musl include/link.h; found by {@code DT_DEBUG} of the program's dynamic section).
 *
 * <pre>
 *  0 int    r_version
 *  8 void * r_map
 * 16 void * r_brk     the function that is called
 * 24 int    r_state   0 when nothing is under way
 * </pre>
 */
final class DynamicLinker {
  private static final long AT_PHDR = 3;
  private static final long AT_PHENT = 4;
  private static final long AT_PHNUM = 5;

  private static final int VERSION = 0;
  private static final int BREAK = 16;
  private static final int STATE = 24;
  private static final int CONSISTENT = 0;

  /** A program header: {@code p_type} first, {@code p_vaddr} at 16 of 56 bytes; its own table. */
  private static final int HEADER = 56;

  private static final int ADDRESS = 16;
  private static final int PT_PHDR = 6;

  /** More program headers and entries of a dynamic section than there are. */
  private static final int MOST_HEADERS = 256;

  private static final int MOST_ENTRIES = 1024;

  private final Memory memory;
  private final long debug;
  private final long breakpoint;

  private DynamicLinker(Memory memory, long debug, long breakpoint) {
    this.memory = memory;
    this.debug = debug;
    this.breakpoint = breakpoint;
  }

  /** That of a process; empty where it has none, or none that has begun. */
  static Optional<DynamicLinker> of(ProcessView process, Memory memory) {
    try {
      var dynamic = dynamic(process.auxiliary(), memory);
      var debug = dynamic.isPresent() ? debug(memory, dynamic.getAsLong()) : OptionalLong.empty();
      if (debug.isEmpty() || memory.u32(debug.getAsLong() + VERSION) == 0) {
        return Optional.empty();
      }
      long breakpoint = memory.u64(debug.getAsLong() + BREAK);
      return breakpoint == 0
          ? Optional.empty()
          : Optional.of(new DynamicLinker(memory, debug.getAsLong(), breakpoint));
    } catch (FaultException _) {
      return Optional
          .empty(); // What its auxiliary vector points to is not there: nothing is known.
    }
  }

  /** Where the program's dynamic section is. */
  private static OptionalLong dynamic(Map<Long, Long> auxiliary, Memory memory) {
    long headers = auxiliary.getOrDefault(AT_PHDR, 0L);
    long count = Math.min(auxiliary.getOrDefault(AT_PHNUM, 0L), MOST_HEADERS);
    if (headers == 0 || auxiliary.getOrDefault(AT_PHENT, 0L) != HEADER) {
      return OptionalLong.empty();
    }
    long slide = 0;
    var dynamic = OptionalLong.empty();
    for (long i = 0; i < count; i++) {
      long header = headers + i * HEADER;
      long address = memory.u64(header + ADDRESS);
      int type = (int) memory.u32(header);
      if (type == PT_PHDR) {
        slide = headers - address;
      } else if (type == Elf.PT_DYNAMIC) {
        dynamic = OptionalLong.of(address);
      }
    }
    return dynamic.isPresent() ? OptionalLong.of(dynamic.getAsLong() + slide) : dynamic;
  }

  private static OptionalLong debug(Memory memory, long dynamic) {
    for (int i = 0; i < MOST_ENTRIES; i++) {
      long tag = memory.u64(dynamic + 16L * i);
      if (tag == Elf.DT_DEBUG) {
        long value = memory.u64(dynamic + 16L * i + 8);
        return value == 0 ? OptionalLong.empty() : OptionalLong.of(value);
      }
      if (tag == Elf.DT_NULL) {
        return OptionalLong.empty();
      }
    }
    return OptionalLong.empty();
  }

  /** The address of the function that it calls before and after libraries come or go. */
  long breakpoint() {
    return breakpoint;
  }

  /** Whether its list of libraries is whole: not in the middle of a change, as far as it tells. */
  boolean isConsistent() {
    try {
      return memory.u32(debug + STATE) == CONSISTENT;
    } catch (FaultException _) {
      return true; // It does not tell: then libraries are looked at each time.
    }
  }
}
