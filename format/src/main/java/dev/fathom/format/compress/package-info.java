/**
 * Decoders of the compressed blocks that dumps hold: LZO1X, snappy, zlib and zstd. A block and the
 * place for its content come in, the content's length goes out. May use {@code base}, the JDK's
 * inflater and zstd-jni.
 */
package dev.fathom.format.compress;
