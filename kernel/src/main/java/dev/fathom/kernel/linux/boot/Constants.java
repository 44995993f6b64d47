// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.boot;

import dev.fathom.base.Range;
import dev.fathom.model.arch.x86_64.PageTables;

/** Where the read-only data of a kernel's image is: kallsyms, the notes and BTF are in it. */
public final class Constants {
  private Constants() {}

  /**
   * From the first to the last pages of the image that can neither be written nor executed; the
   * whole image where the page tables do not tell them apart ({@code rodata=off}).
   */
  public static Range of(KernelPlace place) {
    Range image = place.image();
    if (!(place.space().mmu() instanceof PageTables tables)) {
      return image;
    }
    var found = new long[] {0, 0};
    tables.sweep(
        image.start(),
        image.end() - 1,
        ImageMapping.TABLE_LIMIT,
        mapping -> {
          if (!mapping.access().writable() && !mapping.access().executable()) {
            found[0] = found[0] == 0 ? mapping.virtual() : found[0];
            found[1] = mapping.virtual() + mapping.bytes();
          }
          return true;
        });
    boolean inside =
        found[1] != 0
            && Long.compareUnsigned(found[0], image.start()) >= 0
            && Long.compareUnsigned(found[1], image.end()) <= 0;
    return inside ? new Range(found[0], found[1]) : image;
  }
}
