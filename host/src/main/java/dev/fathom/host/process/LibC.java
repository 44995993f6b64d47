// SPDX-License-Identifier: Apache-2.0
package dev.fathom.host.process;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Optional;

/**
 * The functions of the C library that control processes. Results that say "failed" leave the error
 * number in the state segment given.
 */
@SuppressWarnings("restricted") // native calls are this module's purpose
record LibC(
    MethodHandle ptrace,
    MethodHandle waitpid,
    MethodHandle waitid,
    MethodHandle vmRead,
    MethodHandle vmWrite,
    MethodHandle syscall,
    MethodHandle spawn,
    MemorySegment environment) {
  private static final VarHandle ERRNO =
      Linker.Option.captureStateLayout().varHandle(PathElement.groupElement("errno"));

  /** Process, vectors here and their number, vectors there and their number, flags. */
  private static final FunctionDescriptor OF_VECTORS =
      FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);

  /** Empty where this system's C library has no such functions. */
  static Optional<LibC> load() {
    var linker = Linker.nativeLinker();
    var lookup = linker.defaultLookup();
    var all = SymbolLookup.loaderLookup().or(lookup);
    for (var name :
        new String[] {
          "ptrace",
          "waitpid",
          "waitid",
          "process_vm_readv",
          "process_vm_writev",
          "syscall",
          "posix_spawnp",
          "environ"
        }) {
      if (all.find(name).isEmpty()) {
        return Optional.empty();
      }
    }
    var errno = Linker.Option.captureCallState("errno");
    // long ptrace(enum request, ...), long syscall(long number, ...)
    var variadic = Linker.Option.firstVariadicArg(1);
    return Optional.of(
        new LibC(
            linker.downcallHandle(
                all.find("ptrace").orElseThrow(),
                FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS),
                errno,
                variadic),
            linker.downcallHandle(
                all.find("waitpid").orElseThrow(),
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT),
                errno),
            linker.downcallHandle(
                all.find("waitid").orElseThrow(),
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT),
                errno),
            linker.downcallHandle(all.find("process_vm_readv").orElseThrow(), OF_VECTORS, errno),
            linker.downcallHandle(all.find("process_vm_writev").orElseThrow(), OF_VECTORS, errno),
            linker.downcallHandle(
                all.find("syscall").orElseThrow(),
                FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
                errno,
                variadic),
            linker.downcallHandle(
                all.find("posix_spawnp").orElseThrow(),
                FunctionDescriptor.of(
                    JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS)),
            all.find("environ").orElseThrow().reinterpret(ADDRESS.byteSize())));
  }

  static MemorySegment state(Arena arena) {
    return arena.allocate(Linker.Option.captureStateLayout());
  }

  static int errno(MemorySegment state) {
    return (int) ERRNO.get(state, 0L);
  }

  /** What {@code environ} points to now. */
  MemorySegment environ() {
    return environment.get(ValueLayout.ADDRESS, 0);
  }

  /** What a method handle threw, to be thrown on; native functions themselves throw nothing. */
  static RuntimeException failed(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return e instanceof RuntimeException runtime
        ? runtime
        : new IllegalStateException("native call failed", e);
  }
}
