// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.source;

import dev.fathom.model.Program;
import dev.fathom.model.unwind.Frame;
import java.util.List;
import java.util.Optional;

/**
 * A frame among those of its stack, as its variables are looked at.
 *
 * @param frames all frames, innermost first
 * @param index the one in question
 */
public record FrameView(Program program, List<Frame> frames, int index) {
  public FrameView {
    frames = List.copyOf(frames);
  }

  public Frame frame() {
    return frames.get(index);
  }

  /** The frame that called this one. */
  public Optional<FrameView> caller() {
    return index + 1 < frames.size()
        ? Optional.of(new FrameView(program, frames, index + 1))
        : Optional.empty();
  }
}
