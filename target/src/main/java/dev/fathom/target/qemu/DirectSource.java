// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import dev.fathom.target.local.HostMemory;
import java.lang.foreign.MemorySegment;

/** Reads guest memory in place, in the QEMU process. */
record DirectSource(HostMemory process) implements GuestRam.Source {
  @Override
  public int read(long guest, long host, MemorySegment into, long first, long last) {
    return process.read(host, into);
  }

  @Override
  public boolean ended() {
    return process.ended();
  }

  @Override
  public boolean wantsHost() {
    return true;
  }

  @Override
  public void close() {
    process.close();
  }
}
