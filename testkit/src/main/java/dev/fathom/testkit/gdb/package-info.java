/** A gdb stub that plays others, well-behaved and hostile ones. */
package dev.fathom.testkit.gdb;
