/**
 * A Linux kernel made up for tests: its image, types, symbols, unwind tables, tasks, modules and
 * log, written into a crash dump of a few megabytes. May use the writers of {@code testkit}.
 */
package dev.fathom.testkit.tiny;
