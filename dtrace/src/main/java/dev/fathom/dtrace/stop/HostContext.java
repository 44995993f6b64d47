// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.UnsupportedException;
import dev.fathom.dtrace.ir.Stmt;
import dev.fathom.dtrace.probe.ProbeContext;
import dev.fathom.dtrace.probe.TracedFile;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.ProcessFiles;
import dev.fathom.model.Memory;
import dev.fathom.target.OpenFile;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A firing that no CPU of the target caused: {@code BEGIN}, {@code END}, {@code tick}. The process
 * is the tracer itself.
 */
class HostContext implements ProbeContext {
  private final Supplier<Kernel> kernel;
  private final long timestamp = System.nanoTime();
  private final long walltimestamp;

  HostContext(Supplier<Kernel> kernel) {
    this.kernel = kernel;
    var now = Instant.now();
    walltimestamp = now.getEpochSecond() * 1_000_000_000L + now.getNano();
  }

  @Override
  public int cpu() {
    return 0;
  }

  @Override
  public long thread() {
    return -1;
  }

  @Override
  public long timestamp() {
    return timestamp;
  }

  @Override
  public long vtimestamp() {
    throw new UnsupportedException("vtimestamp is not known here");
  }

  @Override
  public long walltimestamp() {
    return walltimestamp;
  }

  @Override
  public long argument(int index) {
    return 0;
  }

  @Override
  public long register(int index) {
    return 0;
  }

  @Override
  public long pid() {
    return ProcessHandle.current().pid();
  }

  @Override
  public long tid() {
    return pid();
  }

  @Override
  public long ppid() {
    return ProcessHandle.current().parent().map(ProcessHandle::pid).orElse(0L);
  }

  @Override
  public long uid() {
    return 0;
  }

  @Override
  public long gid() {
    return 0;
  }

  @Override
  public String execname() {
    return "fathom";
  }

  @Override
  public String cwd() {
    return System.getProperty("user.dir");
  }

  @Override
  public String root() {
    return "/";
  }

  @Override
  public String execargs() {
    return ProcessHandle.current().info().commandLine().orElse("");
  }

  @Override
  public String arguments(long thread) {
    return files().arguments(kernel.get().task(thread));
  }

  @Override
  public Optional<TracedFile> file(long descriptor) {
    throw new UnsupportedException("no process is on a CPU here");
  }

  @Override
  public long fileObject(long descriptor) {
    throw new UnsupportedException("no process is on a CPU here");
  }

  @Override
  public Optional<TracedFile> fileOfPage(long page) {
    return files().ofPage(page).map(HostContext::traced);
  }

  ProcessFiles files() {
    return kernel
        .get()
        .files()
        .orElseThrow(() -> new UnsupportedException("files are not known of this target"));
  }

  static TracedFile traced(OpenFile file) {
    return new TracedFile(
        file.path(), file.fileSystem(), file.mount(), file.offset(), file.flags());
  }

  @Override
  public long curthread() {
    return 0;
  }

  @Override
  public long errno() {
    return 0;
  }

  @Override
  public long ipl() {
    return 0;
  }

  @Override
  public long caller() {
    return 0;
  }

  @Override
  public long ucaller() {
    return 0;
  }

  @Override
  public long[] stack(int frames) {
    return new long[0];
  }

  @Override
  public long[] ustack(int frames) {
    return new long[0];
  }

  Kernel kernelModel() {
    return kernel.get();
  }

  @Override
  public Memory kernel() {
    return kernel.get().program().memory();
  }

  @Override
  public Memory user() {
    throw new UnsupportedException("no process is on a CPU here");
  }

  @Override
  public boolean progenyOf(long pid) {
    return false;
  }

  @Override
  public String path(long address) {
    return files().path(address);
  }

  @Override
  public void copyOut(long userAddress, byte[] bytes) {
    throw new UnsupportedException("no process is on a CPU here");
  }

  @Override
  public void destroy(Stmt.Destruction what, long argument) {
    throw new UnsupportedException(what.text() + "() needs a CPU");
  }
}
