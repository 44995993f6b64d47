// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel;

/**
 * A message of the kernel's log.
 *
 * @param sequence its number since boot
 * @param nanos time since boot in nanoseconds
 * @param level syslog level 0 to 7
 * @param facility syslog facility
 * @param text without prefix and final line feed; may hold several lines
 */
public record LogEntry(long sequence, long nanos, int level, int facility, String text) {}
