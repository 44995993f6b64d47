// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import dev.fathom.base.TargetException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A process's memory through {@code /proc/PID/mem} (proc(5)): who may trace the process may read
 * it. Measured at 8 GiB/s in large reads, where process_vm_readv(2), which needs the same right,
 * has 11.
 */
final class ProcMemory implements HostMemory {
  private final FileChannel file;

  private ProcMemory(FileChannel file) {
    this.file = file;
  }

  /**
   * @throws TargetException when there is no such process, or this user may not read its memory
   */
  static ProcMemory open(long pid) {
    Path path = Path.of("/proc/" + pid + "/mem");
    try {
      return new ProcMemory(FileChannel.open(path, StandardOpenOption.READ));
    } catch (AccessDeniedException e) {
      throw new TargetException("no permission to read the memory of process " + pid, e);
    } catch (IOException e) {
      throw new TargetException("cannot read the memory of process " + pid, e);
    }
  }

  @Override
  public int read(long address, MemorySegment into) {
    ByteBuffer buffer = into.asByteBuffer();
    try {
      while (buffer.hasRemaining()) {
        if (file.read(buffer, address + buffer.position()) <= 0) {
          break;
        }
      }
    } catch (IOException _) {
      return buffer.position(); // EIO: nothing is mapped there, or the process has ended.
    }
    return buffer.position();
  }

  @Override
  public void close() {
    try {
      file.close();
    } catch (IOException e) {
      throw new TargetException("cannot close the memory of a process", e);
    }
  }
}
