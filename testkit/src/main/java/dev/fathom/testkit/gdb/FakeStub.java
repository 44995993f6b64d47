// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.gdb;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A gdb stub over a small machine, for tests of clients. It keeps the rules of the stub that it
 * plays and notes when the client breaks them; see {@link #violations}. A {@link Mischief} makes it
 * hostile. Clients may connect one after the other.
 */
public final class FakeStub implements AutoCloseable {
  /** Which stub is played. */
  public enum Kind {
    /**
     * QEMU 7.2's: no registers one by one before the description was read, no mode without
     * acknowledgements, packets of 4096 bytes, a mode for physical memory, a monitor; a byte that
     * comes while the guest runs stops it.
     */
    QEMU,
    /** gdbserver 13's: without acknowledgements, runs in replies, {@code G} and no {@code P}. */
    GDBSERVER,
    /** The least there is: {@code ? g G m M c s}, no description, no threads. */
    LEAST,
    /**
     * KGDB's of Linux 6.1 (kernel/debug/gdbstub.c): no description, registers up to es, CPUs listed
     * among the tasks, stops that name the task, and int3 left behind as the CPU leaves it.
     */
    KGDB
  }

  /** What happens next while the machine runs. */
  private record Visit(int cpu, long pc) {}

  /** Where the machine's memory is seen by virtual address, on the stubs that have both. */
  public static final long VIRTUAL = 0xffff888000000000L;

  private static final String[] NAMES = {
    "rax",
    "rbx",
    "rcx",
    "rdx",
    "rsi",
    "rdi",
    "rbp",
    "rsp",
    "r8",
    "r9",
    "r10",
    "r11",
    "r12",
    "r13",
    "r14",
    "r15",
    "rip",
    "eflags",
    "cs",
    "ss",
    "ds",
    "es",
    "fs",
    "gs",
    "fs_base",
    "gs_base",
    "k_gs_base",
    "cr0",
    "cr2",
    "cr3",
    "cr4",
    "xmm0"
  };

  /** The number of {@code rip}. */
  public static final int RIP = 16;

  /** The number of {@code rsp}. */
  public static final int RSP = 7;

  /** The number of {@code rbp}. */
  public static final int RBP = 6;

  /** The number of {@code cs}. */
  public static final int CS = 18;

  /** The number of {@code cr3}. */
  public static final int CR3 = 29;

  private static final int SEGMENTS = 17;
  private static final int BASES = 24;

  /** KGDB's registers end before fs and gs. */
  private static final int KGDB_REGISTERS = 22;

  /** The number of the first CPU's task behind KGDB; the other CPUs' follow. */
  public static final int KGDB_TASK = 0x35;

  private static final int VECTOR = NAMES.length - 1;

  private final Kind kind;
  private final ServerSocketChannel server;
  private final String address;
  private final Thread thread;
  private final Map<Long, byte[]> pages = new TreeMap<>();
  private final List<byte[]> cpus = new ArrayList<>();
  private final List<String> requests = new ArrayList<>();
  private final List<String> violations = new ArrayList<>();
  private final Set<String> places = new TreeSet<>();
  private final Deque<Visit> script = new ArrayDeque<>();
  private Mischief mischief = Mischief.NONE;
  private String unsolicited = "";
  private int general = NAMES.length;
  private final Map<String, Integer> more = new LinkedHashMap<>();
  private int naks;
  private int lost;
  private int late;
  private long sent;
  private long hangUpAt = Long.MAX_VALUE;
  private Optional<SocketChannel> client = Optional.empty();
  private boolean closed;

  private boolean acks = true;
  private boolean multiprocess;
  private boolean described;
  private boolean tables = true;
  private boolean registerWrites = true;
  private int kept = -1;
  private boolean scripted;
  private boolean physical;
  private boolean running;
  private boolean byAnother;
  private boolean unacknowledged;
  private boolean detached;
  private int current;

  /** The CPU that stopped last, which KGDB means by thread 0. */
  private int stoppedCpu;

  private int listed;
  private int answered;
  private String lastRequest = "";
  private byte[] lastFrame = new byte[0];

  private FakeStub(Kind kind, ServerSocketChannel server, String address) {
    this.kind = kind;
    this.server = server;
    this.address = address;
    this.thread = Thread.ofPlatform().daemon().name("fake stub").unstarted(this::serve);
    cpus(1);
  }

  /** A stub on a free port of the loopback interface. */
  public static FakeStub start(Kind kind) {
    try {
      ServerSocketChannel server = ServerSocketChannel.open();
      server.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0));
      int port = ((InetSocketAddress) server.getLocalAddress()).getPort();
      return started(new FakeStub(kind, server, "127.0.0.1:" + port));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A stub on a Unix-domain socket. */
  public static FakeStub start(Kind kind, Path socket) {
    try {
      ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      SocketAddress name = UnixDomainSocketAddress.of(socket);
      server.bind(name);
      return started(new FakeStub(kind, server, "unix:" + socket));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static FakeStub started(FakeStub stub) {
    stub.thread.start();
    return stub;
  }

  /** What a client attaches to: {@code 127.0.0.1:PORT} or {@code unix:PATH}. */
  public String address() {
    return address;
  }

  /** Gives the machine memory at a physical address, whole pages. */
  public synchronized FakeStub memory(long start, byte[] bytes) {
    for (int i = 0; i < bytes.length; i += 4096) {
      pages.put((start + i) >>> 12, Arrays.copyOfRange(bytes, i, i + 4096));
    }
    return this;
  }

  /** Sets the number of CPUs; all registers are their CPU's number times 0x1000 plus their own. */
  public synchronized FakeStub cpus(int count) {
    cpus.clear();
    for (int i = 0; i < count; i++) {
      cpus.add(new byte[offset(NAMES.length)]);
      for (int k = 0; k < NAMES.length; k++) {
        set(i, k, 0x1000L * i + k);
      }
    }
    return this;
  }

  /** Leaves all registers but the first ones out of {@code g}: they are read one by one. */
  public synchronized FakeStub generalRegisters(int count) {
    general = count;
    return this;
  }

  /** Describes one more register, whose bytes are ones. */
  public synchronized FakeStub describes(String name, int bits) {
    more.put(name, bits);
    return this;
  }

  public synchronized FakeStub mischief(Mischief what) {
    mischief = what;
    return this;
  }

  /** Hangs up when this many more bytes were sent. */
  public synchronized FakeStub hangUpAfter(long bytes) {
    sent = 0;
    hangUpAt = bytes;
    return this;
  }

  /** The bytes sent since the last {@link #hangUpAfter}. */
  public synchronized long sent() {
    return sent;
  }

  /** The next packet is acknowledged and answered only after so many milliseconds. */
  public synchronized FakeStub late(int millis) {
    late = millis;
    return this;
  }

  /** The next packets never arrive. */
  public synchronized FakeStub loses(int count) {
    lost = count;
    return this;
  }

  /** Refuses the next packets as damaged. */
  public synchronized FakeStub naks(int count) {
    naks = count;
    return this;
  }

  /** Sends this frame as soon as a client connects. */
  public synchronized FakeStub unsolicited(String payload) {
    unsolicited = payload;
    return this;
  }

  /** The packets taken so far, without frames. */
  public synchronized List<String> requests() {
    return List.copyOf(requests);
  }

  /** Where the client broke this stub's rules. */
  public synchronized List<String> violations() {
    return List.copyOf(violations);
  }

  /** The breakpoints in place, as in {@code Z}: {@code 0,ffff,1}. */
  public synchronized Set<String> breakpoints() {
    return Set.copyOf(places);
  }

  public synchronized boolean running() {
    return running;
  }

  /** Whether the client said that it leaves. */
  public synchronized boolean detached() {
    return detached;
  }

  public synchronized long register(int cpu, int number) {
    long value = 0;
    for (int i = bytes(number) - 1; i >= 0; i--) {
      value = value << 8 | (cpus.get(cpu)[offset(number) + i] & 0xff);
    }
    return value;
  }

  /** The monitor does not tell where the descriptor tables are. */
  public synchronized FakeStub withoutTables() {
    tables = false;
    return this;
  }

  /** Knows neither {@code P} nor {@code G}. */
  public synchronized FakeStub withoutRegisterWrites() {
    registerWrites = false;
    return this;
  }

  /** Says OK to writes of this register, and leaves it as it is. */
  public synchronized FakeStub keeps(int number) {
    kept = number;
    return this;
  }

  /** Gives a CPU's register a value. */
  public synchronized FakeStub register(int cpu, int number, long value) {
    set(cpu, number, value);
    return this;
  }

  /**
   * While it runs, a CPU comes to a place next, where a breakpoint stops it. Without any such the
   * CPUs stand where they are and come to no breakpoint.
   */
  public synchronized FakeStub comes(int cpu, long pc) {
    scripted = true;
    script.add(new Visit(cpu, pc));
    return this;
  }

  /** The byte of memory at a physical address. */
  public synchronized int memory(long at) {
    return pages.get(at >>> 12)[(int) (at & 4095)];
  }

  /**
   * Somebody else lets the machine run, as through QEMU's monitor. The client is not told, and the
   * next byte that it sends stops the machine.
   */
  public synchronized void letRunByAnother() {
    running = true;
    byAnother = true;
  }

  /** Stops the running machine on a CPU, and tells the client. */
  public synchronized void stop(int cpu, int signal, String more) {
    current = cpu;
    stoppedCpu = cpu;
    running = false;
    send(frame(stopReply(signal, more)));
  }

  /** Sends bytes as they are. */
  public synchronized void say(String bytes) {
    send(bytes.getBytes(StandardCharsets.ISO_8859_1));
  }

  /** The client's connection ends without a word. */
  public synchronized void hangUp() {
    client.ifPresent(FakeStub::end);
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      hangUp();
    }
    try {
      server.close();
      thread.join();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void end(SocketChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void serve() {
    while (true) {
      try (SocketChannel channel = server.accept()) {
        begin(channel);
        listen(new BufferedInputStream(Channels.newInputStream(channel)));
      } catch (IOException | UncheckedIOException e) {
        synchronized (this) {
          if (closed) {
            return;
          }
        }
      }
    }
  }

  private synchronized void begin(SocketChannel channel) throws IOException {
    if (channel.getLocalAddress() instanceof InetSocketAddress) {
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    }
    client = Optional.of(channel);
    acks = true;
    multiprocess = false;
    described = false;
    detached = false;
    running = false;
    byAnother = false;
    unacknowledged = false;
    answered = 0;
    if (!unsolicited.isEmpty()) {
      send(frame(unsolicited));
    }
  }

  private void listen(InputStream in) throws IOException {
    for (int b = in.read(); b >= 0; b = in.read()) {
      if (isRunning(b)) {
        continue;
      }
      if (b == '-') {
        resend();
      } else if (b == '$') {
        packet(in);
      }
    }
  }

  /**
   * Whether the byte is no part of a packet: an answer to QEMU's last packet, or come while the
   * machine runs.
   */
  private synchronized boolean isRunning(int b) {
    if (kind == Kind.QEMU && unacknowledged) {
      unacknowledged = b != '+' && b != '$';
      if (b != '$') {
        return true;
      }
    }
    if (!running) {
      return false;
    }
    if (b == 3) {
      running = false;
      send(frame(stopReply(2, "")));
      return true;
    }
    if (kind == Kind.QEMU) {
      if (!byAnother) {
        violations.add("byte " + b + " while the guest runs");
      }
      byAnother = false;
      running = false;
      send(frame(stopReply(2, "")));
      return true;
    }
    return false;
  }

  private synchronized void resend() {
    if (!acks) {
      violations.add("- without acknowledgements");
    }
    answer(lastRequest, lastFrame);
  }

  private void answer(String request, byte[] frame) {
    lastRequest = request;
    lastFrame = frame;
    Optional<byte[]> instead = mischief.instead(request, answered++, frame);
    if (instead.isPresent()) {
      send(instead.get());
    } else {
      hangUp();
    }
  }

  private void pause() {
    int millis;
    synchronized (this) {
      millis = late;
      late = 0;
    }
    try {
      Thread.sleep(millis);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void packet(InputStream in) throws IOException {
    var payload = new ByteArrayOutputStream();
    int sum = 0;
    for (int b = in.read(); b != '#'; b = in.read()) {
      if (b < 0) {
        return;
      }
      sum += b;
      if (b == '}') {
        b = in.read();
        sum += b;
        b ^= 0x20;
      }
      payload.write(b);
    }
    int told = HexFormat.fromHexDigit(in.read()) << 4 | HexFormat.fromHexDigit(in.read());
    pause();
    synchronized (this) {
      if (lost > 0) {
        lost--;
        return;
      }
      if ((sum & 0xff) != told || naks > 0) {
        naks = Math.max(0, naks - 1);
        send(new byte[] {'-'});
        return;
      }
      if (acks) {
        send(new byte[] {'+'});
      }
      String request = payload.toString(StandardCharsets.ISO_8859_1);
      requests.add(request);
      Optional<String> reply = reply(request);
      if (reply.isPresent()) {
        answer(request, frame(reply.get()));
      }
      if (request.equals("QStartNoAckMode") && reply.isPresent() && reply.get().equals("OK")) {
        acks = false;
      }
    }
  }

  private void send(byte[] bytes) {
    if (client.isEmpty() || !client.get().isOpen()) {
      return;
    }
    int count = (int) Math.min(bytes.length, hangUpAt - sent);
    sent += count;
    unacknowledged |= count > 0 && bytes[0] == '$';
    try {
      ByteBuffer all = ByteBuffer.wrap(bytes, 0, count);
      while (all.hasRemaining()) {
        if (client.get().write(all) < 0) {
          return;
        }
      }
    } catch (IOException e) {
      end(client.get());
    }
    if (sent == hangUpAt) {
      hangUp();
    }
  }

  /** A payload's frame; gdbserver's with runs of equal bytes shortened. */
  private byte[] frame(String payload) {
    return frame(payload, kind == Kind.GDBSERVER);
  }

  /** A payload's frame. */
  public static byte[] frame(String payload, boolean runs) {
    var out = new StringBuilder();
    for (int i = 0; i < payload.length(); i++) {
      char c = payload.charAt(i);
      int count = 1;
      while (i + count < payload.length() && payload.charAt(i + count) == c && count < 98) {
        count++;
      }
      if (runs && count >= 4 && count != 7 && count != 8 && c != '}' && c != '*') {
        out.append(c).append('*').append((char) (count - 1 + 29));
        i += count - 1;
      } else if (c == '$' || c == '#' || c == '}' || c == '*') {
        out.append('}').append((char) (c ^ 0x20));
      } else {
        out.append(c);
      }
    }
    int sum = out.chars().sum();
    return ("$" + out + "#" + HexFormat.of().toHexDigits((byte) sum))
        .getBytes(StandardCharsets.ISO_8859_1);
  }

  private Optional<String> reply(String request) {
    char first = request.isEmpty() ? ' ' : request.charAt(0);
    return switch (first) {
      case '?' -> {
        places.clear();
        yield Optional.of(stopReply(5, ""));
      }
      case 'g' -> Optional.of(HexFormat.of().formatHex(cpus.get(current), 0, known()) + ones());
      case 'G' -> Optional.of(setAll(request.substring(1)));
      case 'p' -> Optional.of(one(request.substring(1)));
      case 'P' -> Optional.of(setOne(request.substring(1)));
      case 'm' -> Optional.of(read(request.substring(1)));
      case 'M' -> Optional.of(write(request.substring(1)));
      case 'c' -> go();
      case 's' -> step(current);
      case 'H' -> Optional.of(select(request));
      case 'Z', 'z' -> Optional.of(place(request));
      case 'D' -> Optional.of(leave(request));
      case 'v' -> resume(request);
      case 'q', 'Q' -> query(request);
      default -> Optional.of("");
    };
  }

  private Optional<String> query(String request) {
    if (kind == Kind.LEAST) {
      return Optional.of("");
    }
    if (kind == Kind.KGDB) {
      return Optional.of(queryKgdb(request));
    }
    if (request.startsWith("qSupported")) {
      multiprocess = request.contains("multiprocess+");
      return Optional.of(
          kind == Kind.QEMU
              ? "PacketSize=1000;qXfer:features:read+;vContSupported+;multiprocess+"
              : "PacketSize=47ff;QStartNoAckMode+;qXfer:features:read+;vContSupported+;multiprocess+;swbreak+");
    }
    if (request.startsWith("qXfer:features:read:")) {
      return Optional.of(document(request.split(":")));
    }
    if (request.equals("qfThreadInfo") || request.equals("qsThreadInfo")) {
      listed = request.equals("qfThreadInfo") ? 0 : listed;
      return Optional.of(listed < cpus.size() ? "m" + id(listed++) : "l");
    }
    if (request.equals("qC")) {
      return Optional.of("QC" + id(current));
    }
    if (kind == Kind.GDBSERVER) {
      return Optional.of(request.equals("QStartNoAckMode") ? "OK" : "");
    }
    if (request.startsWith("qRcmd,")) {
      monitor(
          new String(HexFormat.of().parseHex(request.substring(6)), StandardCharsets.ISO_8859_1));
      return Optional.of("OK");
    }
    return Optional.of(
        switch (request) {
          case "qqemu.sstepbits" -> "ENABLE=1,NOIRQ=2,NOTIMER=4";
          case "qqemu.PhyMemMode" -> physical ? "1" : "0";
          case "Qqemu.PhyMemMode:1" -> {
            physical = true;
            yield "OK";
          }
          case "Qqemu.PhyMemMode:0" -> {
            physical = false;
            yield "OK";
          }
          default -> request.startsWith("Qqemu.sstep=") ? "OK" : "";
        });
  }

  private String queryKgdb(String request) {
    return switch (request) {
      case "qC" -> "QC" + task(current);
      case "qfThreadInfo" -> {
        listed = 0;
        yield IntStream.range(0, cpus.size())
            .mapToObj(this::id)
            .collect(Collectors.joining(",", "m", ",01,02,03"));
      }
      case "qsThreadInfo" -> listed++ == 0 ? "m04," + task(0) : "l";
      default -> "";
    };
  }

  private void monitor(String command) {
    var text = new StringBuilder();
    if (command.equals("info mtree -f")) {
      text.append("FlatView #0\n AS \"I/O\", root: io\n Root memory region: io\n");
      text.append("  0000000000000000-0000000000000007 (prio 0, ram): no memory\n\n");
      text.append("FlatView #1\n AS \"memory\", root: system\n Root memory region: system\n");
      for (long page : pages.keySet()) {
        text.append(String.format("  %016x-%016x", page << 12, (page << 12) + 4095));
        text.append(" (prio 0, ram): pc.ram\n");
      }
      text.append("  00000000fee00000-00000000feefffff (prio 4096, i/o): apic-msi\n\n");
    } else if (command.equals("info registers -a") && tables) {
      for (int i = 0; i < cpus.size(); i++) {
        text.append("\nCPU#").append(i).append("\r\nRIP=0 RFL=2\r\n");
        text.append("GS =0000 ffff888000000000 00000000 00000000\r\n");
        text.append("TR =0040 fffffe0000003000 00004087 00008900 DPL=0 TSS64-avl\r\n");
        text.append("GDT=     fffffe000000").append(i).append("000 0000007f\r\n");
        text.append("IDT=     fffffe0000000000 00000fff\r\n");
      }
    }
    for (int at = 0; at < text.length(); at += 1000) {
      String piece = text.substring(at, Math.min(text.length(), at + 1000));
      send(
          frame(
              "O" + HexFormat.of().formatHex(piece.getBytes(StandardCharsets.ISO_8859_1)), false));
    }
  }

  private String document(String[] words) {
    String text =
        switch (words[3]) {
          case "target.xml" ->
              "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target>"
                  + "<architecture>i386:x86-64</architecture>"
                  + "<xi:include href=\"core.xml\"/></target>";
          case "core.xml" -> core();
          default -> "";
        };
    if (text.isEmpty()) {
      return "E00";
    }
    described = true;
    String[] window = words[4].split(",");
    int from = Math.min(text.length(), Integer.parseInt(window[0], 16));
    int to = Math.min(text.length(), from + Integer.parseInt(window[1], 16));
    return (to == text.length() ? "l" : "m") + text.substring(from, to);
  }

  private String core() {
    var text = new StringBuilder("<?xml version=\"1.0\"?>\n<feature name=\"core\">\n");
    for (int i = 0; i < NAMES.length; i++) {
      text.append("<reg name=\"").append(NAMES[i]).append("\" bitsize=\"").append(8 * bytes(i));
      text.append(i == VECTOR ? "\" type=\"vec128\"/>\n" : "\"/>\n");
    }
    more.forEach(
        (name, bits) -> text.append("<reg name=\"%s\" bitsize=\"%d\"/>\n".formatted(name, bits)));
    return text.append("</feature>").toString();
  }

  private String ones() {
    return more.values().stream()
        .map(bits -> "01".repeat((bits + 7) / 8))
        .collect(Collectors.joining());
  }

  private int known() {
    return offset(
        switch (kind) {
          case LEAST -> BASES;
          case KGDB -> KGDB_REGISTERS;
          case QEMU, GDBSERVER -> general;
        });
  }

  private static int bytes(int number) {
    if (number == VECTOR) {
      return 16;
    }
    return number >= SEGMENTS && number < BASES ? 4 : 8;
  }

  private static int offset(int number) {
    int offset = 0;
    for (int i = 0; i < number; i++) {
      offset += bytes(i);
    }
    return offset;
  }

  private void set(int cpu, int number, long value) {
    for (int i = 0; i < 8 && i < bytes(number); i++) {
      cpus.get(cpu)[offset(number) + i] = (byte) (value >>> (8 * i));
    }
  }

  private String setAll(String digits) {
    if (!registerWrites) {
      return "";
    }
    byte[] values = HexFormat.of().parseHex(digits);
    long before = kept < 0 ? 0 : register(current, kept);
    System.arraycopy(values, 0, cpus.get(current), 0, values.length);
    if (kept >= 0) {
      set(current, kept, before);
    }
    return "OK";
  }

  private String one(String number) {
    if (kind != Kind.QEMU) {
      return "";
    }
    int wanted = Integer.parseInt(number, 16);
    return described && wanted < NAMES.length
        ? HexFormat.of().formatHex(cpus.get(current), offset(wanted), offset(wanted + 1))
        : "E00";
  }

  private String setOne(String assignment) {
    if (kind != Kind.QEMU || !registerWrites) {
      return "";
    }
    if (!described) {
      return "E00";
    }
    String[] sides = assignment.split("=");
    int number = Integer.parseInt(sides[0], 16);
    byte[] value = HexFormat.of().parseHex(sides[1]);
    if (number != kept) {
      System.arraycopy(value, 0, cpus.get(current), offset(number), value.length);
    }
    return "OK";
  }

  private String read(String range) {
    String[] sides = range.split(",");
    long at = Long.parseUnsignedLong(sides[0], 16);
    int count = Integer.parseInt(sides[1], 16);
    if (2 * count > (kind == Kind.QEMU ? 4096 : isSmall() ? 400 : 0x47ff)) {
      violations.add("read of " + count + " bytes");
      return "E22";
    }
    var text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      long place = physicalOf(at + i);
      byte[] page = pages.get(place >>> 12);
      if (page == null) {
        // gdbserver gives what it can, QEMU all or nothing.
        return kind == Kind.GDBSERVER && i > 0 ? text.toString() : "E14";
      }
      text.append(HexFormat.of().toHexDigits(page[(int) (place & 4095)]));
    }
    return text.toString();
  }

  private String write(String range) {
    String[] sides = range.split("[,:]");
    long at = Long.parseUnsignedLong(sides[0], 16);
    byte[] bytes = HexFormat.of().parseHex(sides[2]);
    for (int i = 0; i < bytes.length; i++) {
      long place = physicalOf(at + i);
      byte[] page = pages.get(place >>> 12);
      if (page == null) {
        return "E14";
      }
      page[(int) (place & 4095)] = bytes[i];
    }
    return "OK";
  }

  private long physicalOf(long at) {
    return physical || isSmall() ? at : at - VIRTUAL;
  }

  /** Whether it has the small packets and the one kind of memory of old stubs. */
  private boolean isSmall() {
    return kind == Kind.LEAST || kind == Kind.KGDB;
  }

  private static String task(int cpu) {
    return String.format("%02x", KGDB_TASK + cpu);
  }

  private String id(int cpu) {
    if (kind == Kind.QEMU) {
      return multiprocess ? String.format("p01.%02x", cpu + 1) : String.format("%02x", cpu + 1);
    }
    return kind == Kind.KGDB
        ? String.format("%08x", -2 - cpu)
        : String.format("p2a.%x", 0x2a + cpu);
  }

  private int cpu(String id) {
    for (int i = 0; i < cpus.size(); i++) {
      if (id(i).equals(id) || (kind == Kind.KGDB && task(i).equals(id))) {
        return i;
      }
    }
    return -1;
  }

  private String select(String request) {
    if (kind == Kind.LEAST) {
      return request.startsWith("Hc") ? "OK" : "";
    }
    boolean any = request.equals("Hg0") || request.equals("Hc-1");
    int cpu = any && kind == Kind.KGDB ? stoppedCpu : cpu(request.substring(2));
    if (cpu < 0) {
      return "E22";
    }
    current = cpu;
    return "OK";
  }

  private String place(String request) {
    if (kind == Kind.LEAST) {
      return "";
    }
    String[] words = request.substring(1).split(",");
    if (Long.parseUnsignedLong(words[1], 16) == 0) {
      return "E22";
    }
    return (request.charAt(0) == 'Z'
            ? places.add(request.substring(1))
            : places.remove(request.substring(1)))
        ? "OK"
        : "E22";
  }

  private String leave(String request) {
    if (kind == Kind.LEAST) {
      return "";
    }
    if (multiprocess && !request.contains(";")) {
      return "E22";
    }
    detached = true;
    running = true;
    return "OK";
  }

  private Optional<String> resume(String request) {
    if (isSmall()) {
      return Optional.of("");
    }
    if (request.equals("vCont?")) {
      return Optional.of("vCont;c;C;s;S");
    }
    if (request.equals("vCont;c")) {
      return go();
    }
    if (request.startsWith("vCont;s:")) {
      String id = request.substring("vCont;s:".length()).replace(";c", "");
      int cpu = cpu(id);
      return cpu < 0 ? Optional.of("E22") : step(cpu);
    }
    return Optional.of("");
  }

  private Optional<String> go() {
    running = true;
    for (int cpu = 0; cpu < cpus.size(); cpu++) {
      if (scripted && isPlace(register(cpu, RIP))) {
        return trap(cpu);
      }
    }
    while (!script.isEmpty()) {
      var visit = script.removeFirst();
      boolean behind = kind == Kind.KGDB && isPlace("0,", visit.pc());
      set(visit.cpu(), RIP, visit.pc() + (behind ? 1 : 0));
      if (isPlace(visit.pc())) {
        return trap(visit.cpu());
      }
    }
    return Optional.empty();
  }

  private boolean isPlace(long pc) {
    return isPlace("0,", pc) || isPlace("1,", pc);
  }

  private boolean isPlace(String kindOf, long pc) {
    return places.contains(kindOf + Long.toHexString(pc) + ",1");
  }

  private Optional<String> trap(int cpu) {
    running = false;
    current = cpu;
    stoppedCpu = cpu;
    return Optional.of(stopReply(5, ""));
  }

  /** An instruction is one byte long. */
  private Optional<String> step(int cpu) {
    current = cpu;
    stoppedCpu = cpu;
    set(cpu, RIP, register(cpu, RIP) + 1);
    return Optional.of(stopReply(5, ""));
  }

  /** A register that comes with the stop. */
  private String expedited(int number) {
    String value =
        HexFormat.of().formatHex(cpus.get(current), offset(number), offset(number) + bytes(number));
    return String.format("%02x:%s;", number, value);
  }

  private String stopReply(int signal, String more) {
    String number = String.format("%02x", signal);
    return switch (kind) {
      case QEMU -> "T" + number + "thread:" + id(current) + ";" + more;
      case GDBSERVER ->
          "T"
              + number
              + more
              + expedited(RBP)
              + expedited(RSP)
              + expedited(RIP)
              + "thread:"
              + id(current)
              + ";core:0;";
      case LEAST -> "S" + number;
      case KGDB -> "T" + number + "thread:" + task(current) + ";";
    };
  }
}
