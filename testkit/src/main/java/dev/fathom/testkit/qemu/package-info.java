/** Something that answers like QEMU, or unlike it, on a socket. */
package dev.fathom.testkit.qemu;
