/**
 * The compressed blocks that dumps hold, decoded and encoded: LZO1X, snappy, zlib and zstd. A block
 * and the place for its content come in, the content's length goes out. May use {@code base}, the
 * JDK's inflater and deflater, and zstd-jni.
 */
package dev.fathom.format.compress;
