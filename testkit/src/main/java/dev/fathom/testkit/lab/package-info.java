/**
 * The guest lab: real Linux guests, the dumps made of them, and the guests' own answers to compare
 * Fathom's with.
 *
 * <p>Owns the packages that a guest is made of (Debian's kernels, busybox, kexec-tools and
 * makedumpfile, downloaded and unpacked into a cache, never installed), the initramfs, the QEMU
 * process, its monitor and console, the deliberate faults, and a cache of finished dumps. Recipes
 * enter, files and {@link dev.fathom.testkit.lab.GuestFacts} leave. Uses {@code base} and the JDK.
 */
package dev.fathom.testkit.lab;
