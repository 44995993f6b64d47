// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import dev.fathom.base.BadDataException;
import dev.fathom.base.TargetException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What one stub can do, and the requests that several parts of the target make. */
final class Stub {
  /** Payload bytes that stubs take which do not tell; gdb assumes the same. */
  private static final int USUAL_PACKET = 400;

  /** What only QEMU's stub answers: how it can step. */
  private static final String STEP_BITS = "qqemu.sstepbits";

  private static final int MAX_DOCUMENT = 1 << 20;
  private static final int MAX_MONITOR_TEXT = 1 << 24;
  private static final int MAX_THREADS = 1 << 16;

  private final Link link;
  private final Set<String> features = new HashSet<>();
  private int packetSize = USUAL_PACKET;
  private boolean qemu;
  private boolean stepFlags;
  private boolean physicalMode;
  private Set<String> vCont = Set.of();
  private Optional<ThreadId> selected = Optional.empty();

  /** Whether memory requests mean physical addresses; empty when that is not known. */
  private Optional<Boolean> physical = Optional.of(false);

  private Stub(Link link) {
    this.link = link;
  }

  /** Learns what the stub can do; the target is stopped afterwards. */
  static Stub open(Link link) {
    var stub = new Stub(link);
    stub.negotiate();
    return stub;
  }

  private void negotiate() {
    Reply supported =
        link.ask("qSupported:multiprocess+;swbreak+;hwbreak+;vContSupported+;xmlRegisters=i386");
    for (String feature : supported.isError() ? new String[0] : supported.text().split(";")) {
      if (feature.startsWith("PacketSize=")) {
        packetSize(feature.substring("PacketSize=".length()));
      } else if (feature.endsWith("+")) {
        features.add(feature.substring(0, feature.length() - 1));
      }
    }
    if (features.contains("QStartNoAckMode") && link.ask("QStartNoAckMode").isOk()) {
      link.acks(Link.Acks.NONE);
    }
    Reply bits = link.ask(STEP_BITS);
    qemu = isQemu(bits);
    if (qemu) {
      link.acks(Link.Acks.IMPLIED);
      stepFlags = bits.text().contains("NOIRQ=2") && bits.text().contains("NOTIMER=4");
      Reply mode = link.ask("qqemu.PhyMemMode");
      physicalMode = mode.text().equals("0") || mode.text().equals("1");
      physical = Optional.of(mode.text().equals("1"));
    } else if (link.acks() == Link.Acks.EACH) {
      link.lossy();
    }
    Reply actions = link.ask("vCont?");
    if (actions.text().startsWith("vCont")) {
      vCont = Set.copyOf(Arrays.asList(actions.text().split(";")));
    }
  }

  private static boolean isQemu(Reply bits) {
    return bits.text().startsWith("ENABLE=");
  }

  private void packetSize(String digits) {
    int value = 0;
    for (int i = 0; i < digits.length() && i < 7; i++) {
      int digit = Hex.value(digits.charAt(i));
      if (digit < 0) {
        return;
      }
      value = value << 4 | digit;
    }
    if (value >= 64) {
      packetSize = Math.min(value, PacketReader.MAX_PACKET / 2);
    }
  }

  Link link() {
    return link;
  }

  String name() {
    return link.name();
  }

  boolean isQemu() {
    return qemu;
  }

  boolean has(String feature) {
    return features.contains(feature);
  }

  /** Whether the stub's memory requests can be switched to physical addresses. */
  boolean hasPhysicalMode() {
    return physicalMode;
  }

  /** Whether interrupts can be held back while a CPU steps. */
  boolean hasStepFlags() {
    return stepFlags;
  }

  /** Whether threads can be given a signal when they go on. */
  boolean resumesWithSignals() {
    return vCont.contains("C");
  }

  /** Whether single threads can be stepped and resumed. */
  boolean resumesThreads() {
    return vCont.contains("c") && vCont.contains("s");
  }

  int packetSize() {
    return packetSize;
  }

  /** The thread that stopped is the one that g, p and virtual memory mean from now on. */
  void stoppedIn(Optional<ThreadId> thread) {
    selected = thread;
  }

  /** A request that selects was refused: what is selected has to be sent again. */
  void unsettled() {
    selected = Optional.empty();
    physical = Optional.empty();
  }

  /** What to send so that g, p and virtual memory mean {@code thread}; nothing when they do. */
  List<String> select(Optional<ThreadId> thread) {
    if (thread.isEmpty() || (selected.isPresent() && selected.get().same(thread.get()))) {
      return List.of();
    }
    selected = thread;
    return List.of("Hg" + thread.get().text());
  }

  /** What to send so that memory requests mean physical or virtual addresses. */
  List<String> addressing(boolean toPhysical) {
    if (!physicalMode || physical.equals(Optional.of(toPhysical))) {
      return List.of();
    }
    physical = Optional.of(toPhysical);
    return List.of(toPhysical ? "Qqemu.PhyMemMode:1" : "Qqemu.PhyMemMode:0");
  }

  /**
   * Sends preparations, which must be answered by OK, and requests.
   *
   * @return the replies to the requests
   */
  List<Reply> ask(List<String> before, List<String> requests) {
    var replies = new ArrayList<Reply>(requests.size());
    ask(before, requests, (_, reply) -> replies.add(reply));
    return replies;
  }

  /**
   * The same, with the replies to the requests given as they come.
   *
   * @param taker its indexes are those of the requests; it is given nothing once a preparation was
   *     refused
   */
  void ask(List<String> before, List<String> requests, Link.Taker taker) {
    if (before.isEmpty()) {
      link.askAll(requests, taker);
      return;
    }
    var all = new ArrayList<String>(before);
    all.addAll(requests);
    link.askAll(
        all,
        (index, reply) -> {
          if (index >= before.size()) {
            taker.take(index - before.size(), reply);
          } else if (!reply.isOk()) {
            unsettled();
            throw new TargetException(
                name() + ": " + before.get(index) + " was answered by " + reply.shown());
          }
        });
  }

  /**
   * Lets the target run without us. A stub that knows no detaching is told to go on.
   *
   * @param processes those that the stub names; none where it names none
   * @return false when the stub refuses
   */
  boolean detach(List<Long> processes) {
    return detach(link, processes);
  }

  /** Lets a target go of which nothing is known yet. */
  static boolean abandon(Link link) {
    if (link.acks() == Link.Acks.EACH && isQemu(link.ask(STEP_BITS))) {
      link.acks(Link.Acks.IMPLIED); // An acknowledgement of the last reply would stop the guest.
    }
    Reply current = link.ask("qC");
    long process =
        current.text().startsWith("QC") ? ThreadId.parse(current.text().substring(2)).process() : 0;
    return detach(link, process > 0 ? List.of(process) : List.of());
  }

  private static boolean detach(Link link, List<Long> processes) {
    boolean agreed = true;
    var requests = new ArrayList<String>();
    processes.forEach(process -> requests.add("D;" + Long.toHexString(process)));
    for (String request : requests.isEmpty() ? List.of("D") : requests) {
      Reply reply = link.ask(request);
      if (reply.isUnknown()) {
        link.release(List.of(), "c");
        return agreed;
      }
      agreed &= reply.isOk();
    }
    return agreed;
  }

  /** As {@link #transfer}, of an object that each thread has. */
  Optional<byte[]> transferOf(ThreadId thread, String object) {
    ask(select(Optional.of(thread)), List.of());
    return transfer(object, "");
  }

  /** Reads a whole object of {@code qXfer}; empty when the stub does not have it. */
  Optional<byte[]> transfer(String object, String annex) {
    var whole = new ByteArrayOutputStream();
    int piece = Math.max(64, packetSize - 16);
    while (true) {
      Reply reply =
          link.ask(
              "qXfer:"
                  + object
                  + ":read:"
                  + annex
                  + ":"
                  + Integer.toHexString(whole.size())
                  + ","
                  + Integer.toHexString(piece));
      if (reply.isUnknown() || reply.isError()) {
        return Optional.empty();
      }
      boolean last = reply.startsWith('l');
      if (!last && !reply.startsWith('m')) {
        throw new BadDataException(
            name() + " " + annex, whole.size(), "expected m or l, found " + reply.shown());
      }
      whole.write(reply.bytes(), 1, reply.bytes().length - 1);
      if (last) {
        return Optional.of(whole.toByteArray());
      }
      if (reply.bytes().length == 1 || whole.size() > MAX_DOCUMENT) {
        throw new BadDataException(
            name() + " " + annex,
            whole.size(),
            whole.size() > MAX_DOCUMENT
                ? "more than 1 MiB"
                : "a piece of nothing, and more to come");
      }
    }
  }

  /**
   * A file of the stub's machine, read to its end (the remote protocol's host I/O).
   *
   * @return empty when the stub serves no files, or not this one
   * @throws BadDataException when it answers something else, or the file has more than {@code
   *     limit} bytes
   */
  Optional<byte[]> file(String path, int limit) {
    Reply opened =
        link.ask("vFile:open:" + Hex.encode(path.getBytes(StandardCharsets.UTF_8)) + ",0,0");
    String descriptor = opened.text();
    if (!descriptor.matches("F[0-9a-f]{1,8}")) {
      return Optional.empty();
    }
    descriptor = descriptor.substring(1);
    var whole = new ByteArrayOutputStream();
    try {
      int piece = Math.max(64, packetSize / 2 - 16);
      while (true) {
        Reply reply =
            link.ask(
                "vFile:pread:"
                    + descriptor
                    + ","
                    + Integer.toHexString(piece)
                    + ","
                    + Integer.toHexString(whole.size()));
        String head = reply.text().split(";", 2)[0];
        int start = head.length() + 1;
        if (!head.matches("F[0-9a-f]{1,8}") || whole.size() > limit) {
          throw new BadDataException(
              name() + " " + path,
              whole.size(),
              "expected F, a length and at most " + limit + " bytes, found " + reply.shown());
        }
        int length = Integer.parseInt(head.substring(1), 16);
        if (length == 0) {
          return Optional.of(whole.toByteArray());
        }
        if (length != reply.bytes().length - start) {
          throw new BadDataException(
              name() + " " + path,
              whole.size(),
              "a piece of " + length + " bytes has " + (reply.bytes().length - start));
        }
        whole.write(reply.bytes(), start, length);
      }
    } finally {
      link.ask("vFile:close:" + descriptor);
    }
  }

  /** What the stub's monitor prints for a command; empty when it has none or refuses. */
  Optional<String> monitor(String command) {
    String request = "qRcmd," + Hex.encode(command.getBytes(StandardCharsets.ISO_8859_1));
    var text = new ByteArrayOutputStream();
    Reply reply = link.ask(request);
    while (reply.startsWith('O') && !reply.isOk()) {
      var piece = new byte[(reply.bytes().length - 1) / 2];
      int count = Hex.decode(reply.bytes(), 1, piece, 0, piece.length);
      text.write(piece, 0, count);
      if (text.size() > MAX_MONITOR_TEXT || count == 0) {
        throw new BadDataException(
            name() + " monitor", text.size(), "endless text or nothing in " + reply.shown());
      }
      reply = link.more(request);
    }
    return reply.isOk()
        ? Optional.of(text.toString(StandardCharsets.ISO_8859_1))
        : Optional.empty();
  }

  /** All threads; empty when the stub does not tell. */
  List<ThreadId> threads() {
    var threads = new ArrayList<ThreadId>();
    var seen = new HashSet<String>();
    Reply reply = link.ask("qfThreadInfo");
    while (reply.startsWith('m')) {
      for (String id : reply.text().substring(1).split(",")) {
        ThreadId thread = ThreadId.parse(id);
        if (thread.thread() == 0 || !seen.add(id) || threads.size() == MAX_THREADS) {
          throw new BadDataException(
              name() + " threads", threads.size(), "no new thread in " + reply.shown());
        }
        threads.add(thread);
      }
      reply = link.ask("qsThreadInfo");
    }
    return List.copyOf(threads);
  }
}
