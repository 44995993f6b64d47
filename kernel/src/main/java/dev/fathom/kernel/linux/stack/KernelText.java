// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.stack;

import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.model.Memory;
import dev.fathom.model.arch.Flow;
import dev.fathom.model.arch.FlowDecoder;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** Tells addresses of instructions from other numbers. */
final class KernelText {
  private final Memory memory;
  private final Range image;
  private final List<Range> text;
  private final List<Range> modules;
  private final FlowDecoder decoder;
  private final byte[] before;

  /**
   * @param image the kernel proper, data and all
   * @param text the parts of it that hold instructions
   * @param modules where modules are, BPF programs, trampolines of ftrace and kprobes
   */
  KernelText(
      Memory memory, Range image, List<Range> text, List<Range> modules, FlowDecoder decoder) {
    this.memory = memory;
    this.image = image;
    this.text = List.copyOf(text);
    this.modules = List.copyOf(modules);
    this.decoder = decoder;
    before = new byte[decoder.longest()];
  }

  boolean contains(long address) {
    if (image.contains(address)) {
      for (var range : text) {
        if (range.contains(address)) {
          return true;
        }
      }
      return false;
    }
    for (var range : modules) {
      if (range.contains(address)) {
        return memory.at(address) == Readability.READABLE;
      }
    }
    return false;
  }

  /** The call that ends at {@code address}, when it is in the text and one does. */
  Optional<Flow> callBefore(long address) {
    if (!contains(address)) {
      return Optional.empty();
    }
    int have = before.length;
    if (memory.read(address - have, MemorySegment.ofArray(before)) < have) {
      // The page before may be missing: the call may be short enough.
      have = (int) Math.min(before.length, address & 4095);
      var piece = MemorySegment.ofArray(before).asSlice(0, have);
      if (memory.read(address - have, piece) < have) {
        return Optional.empty();
      }
    }
    return decoder.callBefore(before, have, address);
  }
}
