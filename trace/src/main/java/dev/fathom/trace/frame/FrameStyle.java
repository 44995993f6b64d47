// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.frame;

import dev.fathom.trace.Frame;

/** What is shown of a frame besides its function's name. */
public record FrameStyle(boolean file, boolean line, boolean address) {
  /** The name alone. */
  public static final FrameStyle NAME = new FrameStyle(false, false, false);

  /** The function, or the address where it is not known. */
  public String text(Frame frame) {
    if (frame.name().isEmpty() || equals(NAME)) {
      return frame.text();
    }
    var text = new StringBuilder(frame.name().get());
    if (file) {
      text.append(' ').append(frame.file().orElse("?"));
    }
    if (line) {
      text.append(':');
      frame.line().ifPresentOrElse(text::append, () -> text.append('?'));
    }
    if (address) {
      text.append(" @ 0x").append(Long.toHexString(frame.address()));
    }
    return text.toString();
  }
}
