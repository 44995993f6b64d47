// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.record;

import java.util.List;

/**
 * One run of a clause whose predicate held.
 *
 * @param epid the enabled probe
 * @param cpu the CPU that it fired on
 * @param timestamp nanoseconds, as D's {@code timestamp}
 * @param speculation 0, or the speculation that the items belong to: they wait for its commit
 * @param items may be empty: then only the probe is shown
 */
public record Firing(int epid, int cpu, long timestamp, int speculation, List<Item> items) {
  public Firing {
    items = List.copyOf(items);
  }
}
