// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import dev.fathom.base.TargetException;
import java.io.IOException;
import java.nio.file.Path;

/** A booted guest that waits at its end of {@code init}; {@link #close} ends it. */
public final class LiveGuest implements AutoCloseable {
  private final Guest guest;
  private final Path work;
  private final GuestFacts facts;

  LiveGuest(Guest guest, Path work, GuestFacts facts) {
    this.guest = guest;
    this.work = work;
    this.facts = facts;
  }

  public Guest guest() {
    return guest;
  }

  public long pid() {
    return guest.pid();
  }

  /** A socket on which QEMU serves its machine protocol to one client at a time. */
  public Path qmp() {
    return guest.qmpSocket();
  }

  /** What the guest said about itself when it was ready. */
  public GuestFacts facts() {
    return facts;
  }

  @Override
  public void close() {
    guest.close();
    try {
      Trees.delete(work);
    } catch (IOException e) {
      throw new TargetException("lab: cannot clean up after a guest in " + work, e);
    }
  }
}
