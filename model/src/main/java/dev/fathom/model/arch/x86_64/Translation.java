// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.x86_64;

import dev.fathom.base.Readability;
import java.util.List;
import java.util.OptionalLong;

/**
 * The way of one virtual address through the page tables.
 *
 * @param virtual the address asked for
 * @param levels the entries looked at, from the root on
 * @param result what came of it
 */
public record Translation(long virtual, List<Level> levels, Result result) {
  /**
   * One entry on the way.
   *
   * @param level 5 to 1, as Intel counts: 1 is the page table whose entries map 4 KiB
   * @param entryAddress the physical address of the entry
   * @param entry the entry's eight bytes; empty when they cannot be read
   */
  public record Level(int level, long entryAddress, OptionalLong entry) {
    /** Intel's name of such an entry. */
    public String name() {
      return switch (level) {
        case 5 -> "PML5E";
        case 4 -> "PML4E";
        case 3 -> "PDPTE";
        case 2 -> "PDE";
        default -> "PTE";
      };
    }
  }

  /** How a translation ends. */
  public sealed interface Result {}

  /**
   * A page is there.
   *
   * @param physical the physical address of the byte asked for
   * @param pageBytes 4 KiB, 2 MiB or 1 GiB
   */
  public record Mapped(long physical, long pageBytes, Access access) implements Result {}

  /** The address is not canonical: no page table can map it. */
  public record NotCanonical() implements Result {}

  /** The last entry of {@link #levels} is zero (or, in hardware's view, not present). */
  public record NotMapped() implements Result {}

  /**
   * The last entry of {@link #levels} stands for a page that is elsewhere: swapped out or being
   * migrated.
   */
  public record Elsewhere(long entry) implements Result {}

  /** The last entry of {@link #levels} could not be read. */
  public record TableUnreadable(Readability reason) implements Result {}

  /**
   * What may be done to a page: the rights that every level grants.
   *
   * @param noAccess Linux keeps the page but let nobody use it (see {@link
   *     Paging.NotPresent#LINUX})
   */
  public record Access(
      boolean writable,
      boolean user,
      boolean executable,
      boolean global,
      boolean encrypted,
      boolean noAccess) {}

  /** The physical address, if there is a page. */
  public OptionalLong physical() {
    return result instanceof Mapped mapped
        ? OptionalLong.of(mapped.physical())
        : OptionalLong.empty();
  }

  /**
   * Why the address cannot be read as far as the tables tell; {@link Readability#READABLE} when
   * there is a page, which may still be missing from the dump.
   */
  public Readability readability() {
    return switch (result) {
      case Mapped _ -> Readability.READABLE;
      case NotCanonical _, NotMapped _ -> Readability.UNMAPPED;
      case Elsewhere _ -> Readability.NOT_PRESENT;
      // A table where no memory is: the tables are corrupt, and nothing is known of the page
      case TableUnreadable(Readability reason) ->
          reason == Readability.UNMAPPED ? Readability.ERROR : reason;
    };
  }
}
