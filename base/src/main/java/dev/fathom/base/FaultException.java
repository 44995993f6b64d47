// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

/** Memory of the target that could not be read: the first bad address and the reason. */
public final class FaultException extends FathomException {
  private static final long serialVersionUID = 1L;
  private final String space;
  private final long address;
  private final Readability reason;
  private final String why;

  /**
   * @param space the name of the address space, such as {@code kernel} or {@code physical}
   * @param address the first address that cannot be read
   * @param reason why; never {@link Readability#READABLE}
   */
  public FaultException(String space, long address, Readability reason) {
    this(space, address, reason, reason.text());
  }

  /**
   * @param why the reason in more words than {@link Readability#text}
   */
  public FaultException(String space, long address, Readability reason, String why) {
    super("cannot read " + space + " address 0x" + Long.toHexString(address) + ": " + why);
    this.space = space;
    this.address = address;
    this.reason = reason;
    this.why = why;
  }

  public String space() {
    return space;
  }

  public long address() {
    return address;
  }

  public Readability reason() {
    return reason;
  }

  /** The reason in words. */
  public String why() {
    return why;
  }
}
