// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace;

import dev.fathom.dtrace.ir.Stmt;
import dev.fathom.dtrace.probe.ProbeContext;
import dev.fathom.dtrace.probe.TracedFile;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Layout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A firing in memory. */
record SyntheticContext(
    int cpu,
    long thread,
    long pid,
    String execname,
    long timestamp,
    List<Long> arguments,
    HeapMemory kernel,
    HeapMemory user,
    List<String> effects)
    implements ProbeContext {
  static final long KERNEL = 0xffff_8880_0000_1000L;
  static final long USER = 0x40_0000L;

  /** Bytes 0 to 15, then the strings {@code hello} at 16 and {@code /a//b/../c.txt} at 32. */
  static SyntheticContext first() {
    var layout = Layout.LITTLE_64;
    var bytes = new byte[256];
    for (int i = 0; i < 16; i++) {
      bytes[i] = (byte) i;
    }
    put(bytes, 16, "hello");
    put(bytes, 32, "/a//b/../c.txt");
    bytes[64] = (byte) 192;
    bytes[65] = (byte) 168;
    bytes[67] = 1;
    bytes[80] = 0x20;
    bytes[81] = 1;
    bytes[95] = 1;
    var user = new byte[64];
    put(user, 0, "user text");
    return new SyntheticContext(
        0,
        100,
        100,
        "cat",
        1_000,
        List.of(3L, KERNEL + 16, 512L),
        new HeapMemory("kernel", layout).put(KERNEL, bytes),
        new HeapMemory("user", layout).put(USER, user),
        new ArrayList<>());
  }

  private static void put(byte[] into, int at, String text) {
    var b = text.getBytes(StandardCharsets.ISO_8859_1);
    System.arraycopy(b, 0, into, at, b.length);
  }

  SyntheticContext at(int onCpu, long tid, long ofPid, String name, long time, Long... args) {
    return new SyntheticContext(
        onCpu, tid, ofPid, name, time, List.of(args), kernel, user, effects);
  }

  @Override
  public long vtimestamp() {
    return timestamp / 2;
  }

  @Override
  public long walltimestamp() {
    return 1_700_000_000_000_000_000L + timestamp;
  }

  @Override
  public long argument(int index) {
    return index < arguments.size() ? arguments.get(index) : 0;
  }

  @Override
  public long register(int index) {
    return 0x100L + index;
  }

  @Override
  public long tid() {
    return thread;
  }

  @Override
  public long ppid() {
    return 1;
  }

  @Override
  public long uid() {
    return 1000;
  }

  @Override
  public long gid() {
    return 1001;
  }

  @Override
  public String cwd() {
    return "/work";
  }

  @Override
  public String root() {
    return "/";
  }

  @Override
  public String execargs() {
    return execname + " -x";
  }

  @Override
  public String arguments(long task) {
    return "task at " + Long.toHexString(task);
  }

  /** Files 0 to 2 are open. */
  @Override
  public Optional<TracedFile> file(long descriptor) {
    return descriptor >= 0 && descriptor <= 2
        ? Optional.of(
            new TracedFile("/dev/file" + descriptor, "devfs", "/dev", 10 * descriptor, 0x8002))
        : Optional.empty();
  }

  @Override
  public long fileObject(long descriptor) {
    return descriptor <= 2 ? KERNEL + 0x100 * descriptor : 0;
  }

  @Override
  public Optional<TracedFile> fileOfPage(long page) {
    return page == KERNEL ? Optional.of(new TracedFile("/data", "", "", 0, 0)) : Optional.empty();
  }

  @Override
  public long curthread() {
    return KERNEL;
  }

  @Override
  public long errno() {
    return 2;
  }

  @Override
  public long ipl() {
    return 0;
  }

  @Override
  public long caller() {
    return 0xffff_ffff_8100_0010L;
  }

  @Override
  public long ucaller() {
    return 0x401000;
  }

  @Override
  public long[] stack(int frames) {
    var all = new long[] {0xffff_ffff_8100_0000L, 0xffff_ffff_8100_0010L, 0xffff_ffff_8100_0020L};
    return frames < all.length ? java.util.Arrays.copyOf(all, frames) : all;
  }

  @Override
  public long[] ustack(int frames) {
    return new long[] {0x401000, 0x401010};
  }

  @Override
  public boolean progenyOf(long other) {
    return other == 1 || other == pid;
  }

  @Override
  public String path(long address) {
    return "/path/at/" + Long.toHexString(address);
  }

  @Override
  public void copyOut(long userAddress, byte[] bytes) {
    effects.add(
        "copyout "
            + Long.toHexString(userAddress)
            + " "
            + new String(bytes, StandardCharsets.ISO_8859_1).replace('\0', '.'));
  }

  @Override
  public void destroy(Stmt.Destruction what, long argument) {
    effects.add(what.text() + " " + argument);
  }
}
