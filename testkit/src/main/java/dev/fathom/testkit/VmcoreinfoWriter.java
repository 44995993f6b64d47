// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit;

import java.nio.charset.StandardCharsets;

/** Writes VMCOREINFO texts as the kernel's macros do (include/linux/crash_core.h). */
public final class VmcoreinfoWriter {
  private final StringBuilder text = new StringBuilder();

  /** Any line, without its end. */
  public VmcoreinfoWriter line(String line) {
    text.append(line).append('\n');
    return this;
  }

  public VmcoreinfoWriter osRelease(String release) {
    return line("OSRELEASE=" + release);
  }

  public VmcoreinfoWriter buildId(String hexadecimal) {
    return line("BUILD-ID=" + hexadecimal);
  }

  public VmcoreinfoWriter pageSize(long bytes) {
    return line("PAGESIZE=" + bytes);
  }

  public VmcoreinfoWriter symbol(String name, long address) {
    return line("SYMBOL(" + name + ")=" + Long.toHexString(address));
  }

  public VmcoreinfoWriter size(String type, long bytes) {
    return line("SIZE(" + type + ")=" + bytes);
  }

  public VmcoreinfoWriter offset(String member, long bytes) {
    return line("OFFSET(" + member + ")=" + bytes);
  }

  public VmcoreinfoWriter length(String name, long elements) {
    return line("LENGTH(" + name + ")=" + elements);
  }

  public VmcoreinfoWriter number(String name, long value) {
    return line("NUMBER(" + name + ")=" + value);
  }

  public VmcoreinfoWriter kernelOffset(long bytes) {
    return line("KERNELOFFSET=" + Long.toHexString(bytes));
  }

  /** The text without a NUL, as the ELF note holds it. */
  public byte[] bytes() {
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }
}
