/**
 * VMCOREINFO, the text by which a Linux kernel tells a dump's reader where its data structures are.
 * Owns the text's grammar and the test whether bytes found in memory are such a text; bytes enter,
 * a {@link dev.fathom.format.vmcoreinfo.Vmcoreinfo} comes out. Uses {@code base} only.
 */
package dev.fathom.format.vmcoreinfo;
