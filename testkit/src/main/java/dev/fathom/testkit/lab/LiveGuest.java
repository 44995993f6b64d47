// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import dev.fathom.base.TargetException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** A booted guest whose {@code init} waits for commands; {@link #close} ends it. */
public final class LiveGuest implements AutoCloseable {
  /** How long a command in the guest may take. */
  private static final Duration COMMAND = Duration.ofSeconds(120);

  private final Guest guest;
  private final Path work;
  private final GuestFacts facts;
  private int commands;

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

  /**
   * Has the guest's shell run a command line, and waits for its end.
   *
   * @param command at most some 200 characters; {@code &} leaves a program running
   * @return what the console said meanwhile, the line itself included
   * @throws TargetException when it does not end in time, or the guest ends or panics
   */
  public synchronized String run(String command) {
    int before = guest.console().text().length();
    String end = "LAB-RAN-" + ++commands;
    // The line is echoed, and must not look like the answer.
    guest.console().send(command + "\necho LAB-\"RAN\"-" + commands + "\n");
    guest.await(end + "\r", COMMAND);
    return guest.console().text().substring(before);
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
