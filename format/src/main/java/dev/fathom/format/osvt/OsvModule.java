// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.osvt;

import java.util.List;

/**
 * A loaded object that the guest listed (chunk {@code MODS}).
 *
 * @param base its first address in the guest
 * @param size bytes from the first to the last address
 */
public record OsvModule(String path, long base, long size, List<Section> sections) {
  /**
   * @param address where the section is linked to, the module's base not added
   * @param offset in the module's file
   */
  public record Section(String name, long address, long offset, long size) {}
}
