// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

/**
 * Input that breaks its format: which source, at which offset, what was found and what was expected
 * there.
 */
public final class BadDataException extends FathomException {
  private static final long serialVersionUID = 1L;
  private final String source;
  private final long offset;
  private final String what;

  /**
   * @param source the name of the byte source, usually a file name
   * @param offset the byte offset in that source at which the offending value stands
   * @param what what was found and what was expected, without source and offset
   */
  public BadDataException(String source, long offset, String what) {
    super(source + ": at offset 0x" + Long.toHexString(offset) + ": " + what);
    this.source = source;
    this.offset = offset;
    this.what = what;
  }

  public String source() {
    return source;
  }

  public long offset() {
    return offset;
  }

  public String what() {
    return what;
  }
}
