// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.run;

import dev.fathom.dtrace.ir.Stmt;
import dev.fathom.dtrace.probe.ProbeContext;
import dev.fathom.dtrace.probe.TracedFile;
import dev.fathom.dtrace.record.ProbeError;
import dev.fathom.model.Memory;
import java.util.Optional;

/** {@code ERROR} at the place of the fault: its arguments say which. */
record ErrorContext(ProbeContext at, ProbeError error) implements ProbeContext {
  @Override
  public long argument(int index) {
    return switch (index) {
      case 1 -> error.epid();
      case 2 -> error.action();
      // There is no offset of an instruction to tell.
      case 3 -> -1;
      case 4 -> error.kind().number();
      case 5 -> error.value();
      default -> 0;
    };
  }

  @Override
  public int cpu() {
    return at.cpu();
  }

  @Override
  public long thread() {
    return at.thread();
  }

  @Override
  public long timestamp() {
    return at.timestamp();
  }

  @Override
  public long vtimestamp() {
    return at.vtimestamp();
  }

  @Override
  public long walltimestamp() {
    return at.walltimestamp();
  }

  @Override
  public long register(int index) {
    return at.register(index);
  }

  @Override
  public long pid() {
    return at.pid();
  }

  @Override
  public long tid() {
    return at.tid();
  }

  @Override
  public long ppid() {
    return at.ppid();
  }

  @Override
  public long uid() {
    return at.uid();
  }

  @Override
  public long gid() {
    return at.gid();
  }

  @Override
  public String execname() {
    return at.execname();
  }

  @Override
  public String cwd() {
    return at.cwd();
  }

  @Override
  public String root() {
    return at.root();
  }

  @Override
  public String execargs() {
    return at.execargs();
  }

  @Override
  public String arguments(long thread) {
    return at.arguments(thread);
  }

  @Override
  public Optional<TracedFile> file(long descriptor) {
    return at.file(descriptor);
  }

  @Override
  public long fileObject(long descriptor) {
    return at.fileObject(descriptor);
  }

  @Override
  public Optional<TracedFile> fileOfPage(long page) {
    return at.fileOfPage(page);
  }

  @Override
  public long curthread() {
    return at.curthread();
  }

  @Override
  public long errno() {
    return at.errno();
  }

  @Override
  public long ipl() {
    return at.ipl();
  }

  @Override
  public long caller() {
    return at.caller();
  }

  @Override
  public long ucaller() {
    return at.ucaller();
  }

  @Override
  public long[] stack(int frames) {
    return at.stack(frames);
  }

  @Override
  public long[] ustack(int frames) {
    return at.ustack(frames);
  }

  @Override
  public Memory kernel() {
    return at.kernel();
  }

  @Override
  public Memory user() {
    return at.user();
  }

  @Override
  public boolean progenyOf(long pid) {
    return at.progenyOf(pid);
  }

  @Override
  public String path(long address) {
    return at.path(address);
  }

  @Override
  public void copyOut(long userAddress, byte[] bytes) {
    at.copyOut(userAddress, bytes);
  }

  @Override
  public void destroy(Stmt.Destruction what, long argument) {
    at.destroy(what, argument);
  }
}
