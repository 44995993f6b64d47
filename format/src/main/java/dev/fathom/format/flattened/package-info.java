/**
 * The flattened stream that {@code makedumpfile -F} and QEMU's {@code dump-guest-memory -z/-l/-s}
 * write: blocks of a file in the order of their making. A stream comes in, a {@link
 * dev.fathom.base.ByteSource} over the file goes out. May use {@code base} only.
 */
package dev.fathom.format.flattened;
