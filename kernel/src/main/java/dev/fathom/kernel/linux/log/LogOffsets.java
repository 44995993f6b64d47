// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.log;

import dev.fathom.base.LookupException;
import dev.fathom.format.vmcoreinfo.Vmcoreinfo;
import dev.fathom.model.type.TypeSystem;
import java.util.Optional;
import java.util.OptionalLong;

/** Where the log's members are: by the kernel's types, or else as VMCOREINFO states them. */
record LogOffsets(TypeSystem types, Optional<Vmcoreinfo> notes) {

  /**
   * @throws LookupException when neither knows
   */
  int of(String tag, String member) {
    var known = types.findOffset(tag, member);
    if (known.isEmpty() && notes.isPresent()) {
      known = notes.get().offset(tag + "." + member);
    }
    return checked(tag + "." + member, known);
  }

  int size(String tag) {
    var struct = types.findStruct(tag);
    if (struct.isPresent()) {
      return checked(tag, OptionalLong.of(struct.get().bytes()));
    }
    return checked(tag, notes.isPresent() ? notes.get().size(tag) : OptionalLong.empty());
  }

  private static int checked(String what, OptionalLong number) {
    if (number.isEmpty() || number.getAsLong() < 0 || number.getAsLong() > 1 << 20) {
      throw new LookupException("layout of the log:", what);
    }
    return (int) number.getAsLong();
  }
}
