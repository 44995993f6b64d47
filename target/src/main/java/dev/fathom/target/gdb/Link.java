// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import dev.fathom.base.BadDataException;
import dev.fathom.base.TargetException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Requests and their replies over one connection. Keeps apart what answers a request and what tells
 * of a stop, which may come at any time. A reply that is late, cannot be decoded or answers nothing
 * leaves the two sides out of step: the link is broken then, and every later call says why.
 *
 * <p>Used by one thread; {@link #takeOver} alone may come from another one, for example when the
 * program ends.
 */
final class Link {
  /** How packets are acknowledged. */
  enum Acks {
    /** Each by a {@code +}, in both directions. Requests go one by one. */
    EACH,
    /** Not at all, after {@code QStartNoAckMode}. Requests can be sent many at a time. */
    NONE,
    /**
     * QEMU's stub takes the next packet for an acknowledgement, and acknowledges ours. Requests can
     * be sent many at a time. No {@code +} is sent alone: it could arrive late and stop a running
     * guest. Two stand in front of requests: when somebody else has let the guest run meanwhile,
     * the first byte only stops it, unless that acknowledges something, and means nothing else.
     */
    IMPLIED
  }

  /** Requests on their way at a time: their replies fit into what sockets hold. */
  private static final int WINDOW = 64;

  /** How often one packet is sent again. */
  private static final int MAX_RETRIES = 4;

  /** Nanoseconds until a packet that was not acknowledged is sent again; gdb's is the same. */
  private static final long RESEND = 2_000_000_000;

  /** Frames other than replies and stops that are passed over while waiting for one reply. */
  private static final int MAX_STRAY = 1 << 12;

  /** Stops that are kept until somebody asks. */
  private static final int MAX_STOPS = 16;

  private final String name;
  private final Wire wire;
  private final PacketReader reader;
  private final PacketWriter writer = new PacketWriter();
  private final long timeout;
  private final ReentrantLock lock = new ReentrantLock();
  private final ArrayDeque<Reply> stops = new ArrayDeque<>();
  private final ArrayDeque<String> owed = new ArrayDeque<>();
  private Optional<String> refused = Optional.empty();
  private Acks acks = Acks.EACH;
  private volatile String broken = "";
  private volatile boolean ended;
  private String lastRelease = "";
  private volatile Optional<Thread> owner = Optional.empty();
  private BooleanSupplier givenUp = () -> false;
  private boolean heard;

  /**
   * @param name the address, for messages
   * @param timeout how long a reply may take
   */
  Link(String name, Wire wire, Duration timeout) {
    this.name = name;
    this.wire = wire;
    this.reader = new PacketReader(wire, name);
    this.timeout = timeout.toNanos();
  }

  String name() {
    return name;
  }

  void acks(Acks how) {
    acks = how;
  }

  Acks acks() {
    return acks;
  }

  /** Whether several requests can be on their way. */
  boolean pipelines() {
    return acks != Acks.EACH;
  }

  boolean isBroken() {
    return !broken.isEmpty();
  }

  /** Whether the other side went away. */
  boolean hasEnded() {
    return ended;
  }

  /** Why nothing can be sent, unless the other side just went away. */
  Optional<String> failure() {
    return broken.isEmpty() || ended ? Optional.empty() : Optional.of(broken);
  }

  /**
   * Nothing more is asked once {@code asked} says so: an answer that is on its way is waited for,
   * but not where the other side has said nothing at all yet.
   */
  void giveUpWhen(BooleanSupplier asked) {
    givenUp = asked;
  }

  /** Whether the other side is QEMU's machine protocol. */
  boolean isMonitor() {
    return reader.isMonitor();
  }

  /** Whether the other side has said anything yet. */
  boolean hasHeard() {
    return heard;
  }

  /**
   * The last words to a side that has said nothing yet, because it serves somebody else: when it
   * comes to read them it lets its target go, which it stopped for us. A stub that knows processes
   * calls the first one 1, as QEMU's does.
   */
  void farewell() {
    lock.lock();
    try {
      if (!heard && !ended) {
        writer.packet("D;1");
        wire.write(writer.take(), System.nanoTime());
      }
    } catch (IOException _) {
      ended = true; // Nobody is there to read them.
    } finally {
      lock.unlock();
    }
  }

  /** Does several things of which {@link #takeOver} finds all done or none. */
  <T> T atOnce(Supplier<T> actions) {
    lock.lock();
    try {
      return actions.get();
    } finally {
      lock.unlock();
    }
  }

  /** Sends one request and waits for its reply. */
  Reply ask(String request) {
    return askAll(List.of(request)).getFirst();
  }

  /** Takes replies as they come. Nothing can be asked from within. */
  interface Taker {
    /**
     * @param index the request's place among those sent, from 0
     */
    void take(int index, Reply reply);
  }

  /**
   * Sends requests, many in one write where the stub allows that, and waits for all replies.
   *
   * @return the replies, in the order of the requests
   */
  List<Reply> askAll(List<String> requests) {
    var replies = new ArrayList<Reply>(requests.size());
    askAll(requests, (_, reply) -> replies.add(reply));
    return replies;
  }

  /**
   * The same for replies that are worked on while the stub makes the next ones.
   *
   * @param taker is given each reply, in the order of the requests; what it throws is thrown when
   *     all have come
   */
  void askAll(List<String> requests, Taker taker) {
    lock.lock();
    try {
      check();
      if (givenUp.getAsBoolean()) {
        throw new TargetException(name + ": given up");
      }
      Optional<RuntimeException> thrown = Optional.empty();
      int sent = 0;
      for (int i = 0; i < requests.size(); i++) {
        Reply reply;
        if (pipelines()) {
          if (sent == 0) {
            acknowledgeTwice();
          }
          // Half of the window is always on its way, so that the stub never waits for us.
          if (sent - i <= WINDOW / 2 && sent < requests.size()) {
            int next = Math.min(requests.size(), i + WINDOW);
            while (sent < next) {
              writer.packet(requests.get(sent++));
            }
            flush();
          }
          reply = reply(requests.get(i));
        } else {
          reply = exchange(requests.get(i));
        }
        if (thrown.isEmpty()) {
          thrown = given(taker, i, reply);
        }
      }
      if (thrown.isPresent()) {
        throw thrown.get();
      }
    } catch (IOException e) {
      throw ended("the connection broke: " + e.getMessage());
    } catch (BadDataException e) {
      broke(e.what());
      throw e;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Stops the running target and asks in one write, as far as that holds as many requests as can be
   * on their way. {@link #strayStop} has the stop that was told of.
   *
   * @return the replies, in the order of the requests
   */
  List<Reply> interruptAndAsk(List<String> requests) {
    lock.lock();
    try {
      check();
      writer.raw(3);
      return askAll(requests);
    } finally {
      lock.unlock();
    }
  }

  private static Optional<RuntimeException> given(Taker taker, int index, Reply reply) {
    try {
      taker.take(index, reply);
      return Optional.empty();
    } catch (RuntimeException e) {
      return Optional.of(e);
    }
  }

  /** Waits for a further reply to a request that has several. */
  Reply more(String request) {
    lock.lock();
    try {
      check();
      return reply(request);
    } catch (IOException e) {
      throw ended("the connection broke: " + e.getMessage());
    } catch (BadDataException e) {
      broke(e.what());
      throw e;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Sends requests that are answered by {@code OK}, then one that lets the target run, and does not
   * wait for the latter. What was told of stops before is forgotten.
   */
  void release(List<String> before, String last) {
    lock.lock();
    try {
      check();
      stops.clear();
      lastRelease = last;
      if (pipelines()) {
        acknowledgeTwice();
        for (String request : before) {
          writer.packet(request);
          owed.add(request);
        }
        writer.packet(last);
        flush();
      } else {
        for (String request : before) {
          Reply reply = exchange(request);
          if (!reply.isOk()) {
            throw new TargetException(name + ": " + request + " was answered by " + reply.shown());
          }
        }
        stops.clear();
        writer.packet(last);
        flush();
      }
    } catch (IOException e) {
      throw ended("the connection broke: " + e.getMessage());
    } catch (BadDataException e) {
      broke(e.what());
      throw e;
    } finally {
      lock.unlock();
    }
  }

  /** Sends the byte that stops a running target. */
  void interrupt() {
    lock.lock();
    try {
      check();
      writer.raw(3);
      flush();
    } catch (IOException e) {
      throw ended("the connection broke: " + e.getMessage());
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until the target tells that it stopped.
   *
   * @return empty when it did not until {@code deadline}, or the thread was interrupted
   * @throws TargetException also when a request before {@link #release} was refused; the target is
   *     on its way then
   */
  Optional<Reply> awaitStop(long deadline) {
    lock.lock();
    try {
      check();
      if (!stops.isEmpty()) {
        return Optional.of(stops.removeFirst());
      }
      int stray = 0;
      int resent = 0;
      while (true) {
        PacketReader.Event event = reader.next(deadline);
        switch (event) {
          case PACKET -> {
            Reply reply = new Reply(reader.payload());
            acknowledge();
            if (!owed.isEmpty() && !reply.isStop()) {
              String request = owed.removeFirst();
              if (!reply.isOk() && refused.isEmpty()) {
                refused = Optional.of(request + " was answered by " + reply.shown());
              }
            } else if (reply.isStop() || reply.startsWith('N')) {
              return Optional.of(reply);
            } else if (!reply.startsWith('O')) {
              throw broke("expected a stop, found " + reply.shown());
            }
          }
          case DAMAGED -> damaged();
          case NOTIFICATION, ACK -> {}
          case NAK -> {
            if (acks != Acks.EACH || ++resent > MAX_RETRIES) {
              throw broke("refuses " + shown(lastRelease) + " as damaged, again and again");
            }
            writer.packet(lastRelease);
            flush();
          }
          case NOTHING -> {
            checkOwner();
            if (deadline - System.nanoTime() <= 0 || Thread.currentThread().isInterrupted()) {
              return Optional.empty();
            }
          }
          case END -> throw ended("the connection ended");
        }
        if (++stray > MAX_STRAY) {
          if (deadline - System.nanoTime() <= 0) {
            return Optional.empty();
          }
          stray = 0;
        }
      }
    } catch (IOException e) {
      throw ended("the connection broke: " + e.getMessage());
    } catch (BadDataException e) {
      broke(e.what());
      throw e;
    } finally {
      lock.unlock();
    }
  }

  /** What was wrong with a request before the last {@link #release}; asked once. */
  Optional<String> refusal() {
    Optional<String> what = refused;
    refused = Optional.empty();
    return what;
  }

  /** A stop that was told while a reply was awaited; the newest. */
  Optional<Reply> strayStop() {
    Optional<Reply> newest = Optional.ofNullable(stops.peekLast());
    stops.clear();
    return newest;
  }

  /**
   * Makes the calling thread the only one whose calls work: what another thread is at ends soon,
   * and its next call fails.
   *
   * @return false when the other one did not end in time; nothing can be sent then
   */
  boolean takeOver() {
    owner = Optional.of(Thread.currentThread());
    wire.wakeUp();
    try {
      if (lock.tryLock(timeout, TimeUnit.NANOSECONDS)) {
        lock.unlock();
        return true;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return false;
  }

  /** Ends the connection without a word to the stub. */
  void close() {
    if (broken.isEmpty()) {
      broken = "closed";
    }
    try {
      wire.close();
    } catch (IOException e) {
      broken = "closed: " + e.getMessage();
    }
  }

  /** In {@link Acks#EACH}: sends a packet until it is acknowledged, and waits for its reply. */
  private Reply exchange(String request) throws IOException {
    writer.packet(request);
    flush();
    return reply(request);
  }

  private Reply reply(String request) throws IOException {
    long deadline = System.nanoTime() + timeout;
    // What a serial line lost nobody acknowledges; a stub that has it does so at once.
    long resend = lossy ? System.nanoTime() + Math.min(RESEND, timeout / 3) : deadline;
    int resent = 0;
    int retries = 0;
    int stray = 0;
    boolean interrupted = false;
    try {
      while (true) {
        PacketReader.Event event = reader.next(resend);
        switch (event) {
          case PACKET -> {
            heard = true;
            Reply reply = new Reply(reader.payload());
            acknowledge();
            if (!reply.isStop() || expectsStop(request)) {
              if (resent > 0) {
                dropFurtherReplies(resent);
              }
              return reply;
            }
            if (stops.size() == MAX_STOPS) {
              stops.removeFirst();
            }
            stops.addLast(reply);
          }
          case DAMAGED -> damaged();
          case NAK -> {
            if (acks == Acks.EACH && ++retries <= MAX_RETRIES) {
              writer.packet(request);
              flush();
            } else {
              throw broke("refuses " + shown(request) + " as damaged, again and again");
            }
          }
          case ACK -> {
            heard = true;
            resend = deadline;
          }
          case NOTIFICATION -> heard = true;
          case NOTHING -> {
            interrupted |= Thread.interrupted();
            if (!heard && givenUp.getAsBoolean()) {
              throw broke("given up");
            }
            if (resend != deadline && resend - System.nanoTime() <= 0) {
              writer.packet(request);
              flush();
              resend = ++resent == MAX_RETRIES ? deadline : Math.min(deadline, resend + RESEND);
            }
            if (deadline - System.nanoTime() <= 0) {
              throw broke(
                  "no answer to "
                      + shown(request)
                      + " within "
                      + TimeUnit.NANOSECONDS.toMillis(timeout)
                      + " ms");
            }
          }
          case END -> throw ended("the connection ended");
        }
        if (++stray > MAX_STRAY) {
          throw broke(
              "more than " + MAX_STRAY + " packets, none of them answers " + shown(request));
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Packets that were late and not lost are answered as often as they were sent. */
  private void dropFurtherReplies(int resent) throws IOException {
    long deadline = System.nanoTime() + timeout;
    for (int more = resent; more > 0; ) {
      switch (reader.next(Math.min(deadline, System.nanoTime() + RESEND))) {
        case PACKET -> {
          acknowledge();
          more--;
        }
        case NOTHING -> {
          // A slow line may be in the middle of one.
          if (!reader.isInPacket() || deadline - System.nanoTime() <= 0) {
            return;
          }
        }
        case END -> {
          return;
        }
        case ACK, NAK, DAMAGED, NOTIFICATION -> heard = true;
      }
    }
  }

  private static boolean expectsStop(String request) {
    return request.equals("?");
  }

  private static String shown(String request) {
    return "'" + (request.length() > 40 ? request.substring(0, 40) + "..." : request) + "'";
  }

  /** What the stub is behind may lose packets: a serial line. */
  void lossy() {
    lossy = true;
  }

  private boolean lossy;
  private int damagedPackets;

  /** Asks for the packet again, where the stub can do that. */
  private void damaged() throws IOException {
    if (acks != Acks.EACH || ++damagedPackets > MAX_RETRIES) {
      throw broke("sends damaged packets");
    }
    writer.raw('-');
    flush();
  }

  /** See {@link Acks#IMPLIED}: begins what is written next. */
  private void acknowledgeTwice() {
    if (acks == Acks.IMPLIED) {
      writer.raw('+').raw('+');
    }
  }

  private void acknowledge() throws IOException {
    damagedPackets = 0;
    if (acks == Acks.EACH) {
      writer.raw('+');
      flush();
    }
  }

  private void flush() throws IOException {
    if (!wire.write(writer.take(), System.nanoTime() + timeout)) {
      throw broke("takes no more requests");
    }
  }

  private void check() {
    checkOwner();
    if (!broken.isEmpty()) {
      throw new TargetException(name + ": " + broken);
    }
  }

  private void checkOwner() {
    if (owner.isPresent() && !owner.get().equals(Thread.currentThread())) {
      throw new TargetException(name + ": closed");
    }
  }

  private TargetException ended(String why) {
    ended |= broken.isEmpty();
    return broke(why);
  }

  private TargetException broke(String why) {
    if (broken.isEmpty()) {
      broken = why;
    }
    return new TargetException(name + ": " + why);
  }
}
