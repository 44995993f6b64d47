// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import dev.fathom.base.FathomException;
import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.base.TargetException;
import dev.fathom.model.Layout;
import dev.fathom.target.DirectMemory;
import dev.fathom.target.DirectMemoryProvider;
import dev.fathom.target.monitor.RamLayout;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * The guest's memory by physical address. Device registers are never touched: they are no memory.
 *
 * <p>The layout can change while the machine runs: memory is plugged in, a reset maps the firmware
 * anew. It is asked for again after {@link #stale}, and when an address is met that has no memory
 * or cannot be read, but for that at most once a second.
 */
final class GuestRam implements DirectMemory {
  private static final long REFRESH_NANOS = 1_000_000_000;
  private static final int CHUNK = 1 << 30;
  private static final int PAGE = 4096;

  /** Pages that are kept as they were: 64 MiB. */
  private static final int MOST_KEPT = 1 << 14;

  /** What is compared: the ends of the highest stretches, where firmware has its reset code. */
  private static final int SAMPLE = 64;

  private static final int MAX_SAMPLES = 8;

  /** Memory of a running guest may change between two looks. */
  private static final int ATTEMPTS = 3;

  /** Reads one stretch of guest memory. */
  interface Source extends AutoCloseable {
    /**
     * Copies bytes until {@code into} is full or the next byte cannot be read; gives their number.
     *
     * @param guest the physical address
     * @param host the same byte's address in the QEMU process; 0 where {@link #wantsHost} is false
     * @param first where the stretch begins, physical
     * @param last its last byte
     */
    int read(long guest, long host, MemorySegment into, long first, long last);

    /** The machine may have changed its memory. */
    default void forget() {}

    @Override
    void close();

    /** Whether the process was found ended by a read. */
    default boolean ended() {
      return false;
    }

    /** Whether the source reads the QEMU process's memory. */
    boolean wantsHost();
  }

  private final DirectMemoryProvider.Monitor monitor;
  private final Source source;
  private final Map<Long, byte[]> kept = new HashMap<>();
  private RamLayout layout;
  private long[] starts = {};
  private long[] lasts = {};
  private long[] hosts = {};
  private int recent;
  private boolean stale;
  private long refreshed;

  /** When the layout could last not be asked for. */
  private long refused = System.nanoTime() - REFRESH_NANOS;

  /**
   * Asks for the layout.
   *
   * @param source is closed with this
   * @throws TargetException when the monitor does not tell it
   */
  GuestRam(DirectMemoryProvider.Monitor monitor, Source source) {
    this.monitor = monitor;
    this.source = source;
    use(askForLayout());
    if (source.wantsHost()) {
      verify();
    }
  }

  private RamLayout askForLayout() {
    return RamLayout.parse(monitor.run(List.of("info mtree -f")).getFirst());
  }

  /** Finds where the stretches of {@code found} are in the process. */
  private void use(RamLayout found) {
    List<RamLayout.Ram> memory = found.memory();
    int count = memory.size();
    var newStarts = new long[count];
    var newLasts = new long[count];
    var newHosts = new long[count];
    var answers = new ArrayList<String>();
    if (source.wantsHost()) {
      var questions = new ArrayList<String>();
      for (RamLayout.Ram ram : memory) {
        questions.add("gpa2hva 0x" + Long.toHexString(ram.start()));
      }
      answers.addAll(monitor.run(questions));
    }
    int used = 0;
    for (int i = 0; i < count; i++) {
      OptionalLong host = source.wantsHost() ? hostAddress(answers.get(i)) : OptionalLong.of(0);
      if (host.isPresent()) {
        newStarts[used] = memory.get(i).start();
        newLasts[used] = memory.get(i).last();
        newHosts[used++] = host.getAsLong();
      }
    }
    if (used == 0) {
      throw new TargetException(
          "QEMU does not tell where its guest's memory is: " + answers.getFirst().strip());
    }
    layout = found;
    starts = Arrays.copyOf(newStarts, used);
    lasts = Arrays.copyOf(newLasts, used);
    hosts = Arrays.copyOf(newHosts, used);
    recent = 0;
    stale = false;
    refreshed = System.nanoTime();
  }

  /**
   * From {@code Host virtual address for 0x0 (pc.ram) is 0x7f3e33e00000} (QEMU 2.10 and later);
   * empty when QEMU says something else, such as that this is no RAM.
   */
  static OptionalLong hostAddress(String answer) {
    String mark = " is 0x";
    int at = answer.lastIndexOf(mark);
    try {
      if (at >= 0) {
        long address = Long.parseUnsignedLong(answer.substring(at + mark.length()).strip(), 16);
        return address > 0 ? OptionalLong.of(address) : OptionalLong.empty();
      }
      return OptionalLong.empty();
    } catch (NumberFormatException _) {
      return OptionalLong.empty(); // Not a form that is known.
    }
  }

  @Override
  public boolean ended() {
    return source.ended();
  }

  @Override
  public void invalidate() {
    stale = true;
    source.forget();
  }

  /** The machine may have changed its memory: nothing that was read before counts. */
  void forget() {
    source.forget();
  }

  /** Asks for the layout again; gives whether it has changed. */
  private boolean refresh() {
    RamLayout now = askForLayout();
    boolean same = now.equals(layout);
    // The same layout may lie elsewhere after a device was replaced by another of its size.
    long[] before = hosts;
    use(now);
    return !same || !Arrays.equals(before, hosts);
  }

  private boolean refreshNow() {
    long now = System.nanoTime();
    boolean due = stale || now - refreshed > REFRESH_NANOS;
    if (!due || now - refused < REFRESH_NANOS) {
      return false;
    }
    try {
      return refresh();
    } catch (FathomException _) {
      refused = System.nanoTime(); // It cannot be asked while it runs, or is gone: asked again.
      return false;
    }
  }

  /**
   * Compares a few places with what the monitor says is there. A process that only passes on what
   * QEMU says (ssh, socat) has something else there, or nothing.
   *
   * @throws TargetException when the source reads another process than that of the guest
   */
  private void verify() {
    var asked = new MonitorSource(monitor);
    boolean equal = false;
    boolean differs = false;
    for (int i = starts.length - 1; i >= 0 && !equal && starts.length - i <= MAX_SAMPLES; i--) {
      long at = lasts[i] - SAMPLE + 1;
      for (int attempt = 0; attempt < ATTEMPTS && !equal; attempt++) {
        var told = new byte[SAMPLE];
        var read = new byte[SAMPLE];
        if (asked.ask(at, MemorySegment.ofArray(told)) == SAMPLE) {
          int got = readOne(at, MemorySegment.ofArray(read), 0, SAMPLE);
          boolean same = got == SAMPLE && Arrays.equals(told, read);
          equal = same && !Arrays.equals(told, new byte[SAMPLE]);
          differs |= !same;
          if (same) {
            break;
          }
        }
      }
    }
    if (differs && !equal) {
      throw new TargetException("the process that listens there does not hold the guest's memory");
    }
  }

  @Override
  public String name() {
    return "physical";
  }

  @Override
  public Layout layout() {
    return Layout.LITTLE_64;
  }

  @Override
  public List<Range> ranges() {
    refreshNow();
    return layout.ranges();
  }

  @Override
  public void keep(long[] pages) {
    for (long address : pages) {
      long page = address & -PAGE;
      if (!kept.containsKey(page) && kept.size() < MOST_KEPT) {
        var copy = new byte[PAGE];
        if (readNow(page, MemorySegment.ofArray(copy)) == PAGE) {
          kept.put(page, copy);
        }
      }
    }
  }

  @Override
  public void release() {
    kept.clear();
  }

  @Override
  public int read(long address, MemorySegment into) {
    return kept.isEmpty() ? readNow(address, into) : readKept(address, into);
  }

  /** A page at a time: from its copy, where one is kept. */
  private int readKept(long address, MemorySegment into) {
    long wanted = Math.min(into.byteSize(), Integer.MAX_VALUE);
    long done = 0;
    while (done < wanted) {
      long at = address + done;
      int offset = (int) (at & (PAGE - 1));
      long count = Math.min(PAGE - offset, wanted - done);
      var copy = kept.get(at & -PAGE);
      if (copy == null) {
        int got = readNow(at, into.asSlice(done, count));
        done += got;
        if (got < count) {
          break;
        }
      } else {
        MemorySegment.copy(MemorySegment.ofArray(copy), offset, into, done, count);
        done += count;
      }
    }
    return (int) done;
  }

  private int readNow(long address, MemorySegment into) {
    if (stale) {
      refreshNow();
    }
    long wanted = Math.min(into.byteSize(), Integer.MAX_VALUE);
    long done = 0;
    boolean again = true;
    while (done < wanted) {
      int got = readOne(address + done, into, done, wanted - done);
      done += got;
      if (got == 0) {
        if (!again || !refreshNow()) {
          break;
        }
        again = false;
      }
    }
    return (int) done;
  }

  private int readOne(long address, MemorySegment into, long at, long wanted) {
    int i = find(address);
    if (i < 0) {
      return 0;
    }
    long more = lasts[i] - address;
    long count = Long.compareUnsigned(more, wanted) < 0 ? more + 1 : wanted;
    count = Math.min(count, CHUNK);
    MemorySegment part = at == 0 && count == into.byteSize() ? into : into.asSlice(at, count);
    return source.read(address, hosts[i] + (address - starts[i]), part, starts[i], lasts[i]);
  }

  @Override
  public Readability at(long address) {
    if (read(address, MemorySegment.ofArray(new byte[1])) == 1) {
      return Readability.READABLE;
    }
    return find(address) >= 0 ? Readability.ERROR : Readability.UNMAPPED;
  }

  /** The number of the stretch that has {@code address}, or -1. */
  private int find(long address) {
    if (recent < starts.length && contains(recent, address)) {
      return recent;
    }
    int low = 0;
    int high = starts.length - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(starts[middle], address) <= 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    if (high < 0 || !contains(high, address)) {
      return -1;
    }
    recent = high;
    return high;
  }

  private boolean contains(int i, long address) {
    return Long.compareUnsigned(address - starts[i], lasts[i] - starts[i]) <= 0;
  }

  @Override
  public void close() {
    source.close();
  }
}
