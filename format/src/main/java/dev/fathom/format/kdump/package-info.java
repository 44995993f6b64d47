/**
 * The kdump-compressed ("diskdump") format that makedumpfile and QEMU write: its headers, bitmaps,
 * page descriptors and stored pages, still compressed. Bytes come in through {@link
 * dev.fathom.base.ByteSource}; records and views of bytes go out. May use {@code base} only; the
 * caller decompresses.
 */
package dev.fathom.format.kdump;
