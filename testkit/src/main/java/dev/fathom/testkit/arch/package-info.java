/** Writers of what a processor reads: page tables. Use nothing but the JDK. */
package dev.fathom.testkit.arch;
