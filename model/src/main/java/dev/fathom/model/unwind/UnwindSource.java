// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.unwind;

import java.util.Optional;

/** Where unwind rules come from: ORC, call frame information, ... */
public interface UnwindSource {
  /** {@code orc}, {@code orc:virtio_blk}, {@code cfi}: for messages. */
  String name();

  /** What frames found with its rows are marked with. */
  Frame.How how();

  /**
   * The row for the instruction at {@code pc}; for a return address the caller of this method
   * passes pc - 1.
   */
  Optional<UnwindRow> rowAt(long pc);
}
