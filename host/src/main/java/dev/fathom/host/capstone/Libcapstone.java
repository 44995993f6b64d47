// SPDX-License-Identifier: Apache-2.0
package dev.fathom.host.capstone;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.fathom.base.UnsupportedException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * The functions of libcapstone that Fathom calls (capstone.h), and what differs between its
 * versions.
 *
 * @param file the name that it was found by
 * @param version {@code cs_version}: major times 256 plus minor
 * @param mnemonic offset of {@code mnemonic[32]} in {@code cs_insn}
 * @param operands offset of {@code op_str[160]} in {@code cs_insn}
 */
@SuppressWarnings("restricted") // native calls are this module's purpose
record Libcapstone(
    String file,
    int version,
    int mnemonic,
    int operands,
    MethodHandle open,
    MethodHandle close,
    MethodHandle option,
    MethodHandle disassemble) {
  /** {@code cs_arch}. */
  static final int ARCH_ARM64 = 1;

  static final int ARCH_X86 = 3;

  /** Offset of {@code size} in {@code cs_insn}. */
  static final int SIZE = 16;

  /** {@code sizeof(cs_insn)} of either version, rounded up. */
  static final int INSN_BYTES = 256;

  /**
   * The first of {@code names} that can be loaded and has a version whose layout is known.
   *
   * @throws UnsupportedException when none does
   */
  static Libcapstone load(List<String> names) {
    var problems = new ArrayList<String>();
    for (var name : names) {
      try {
        return bind(name, SymbolLookup.libraryLookup(name, Arena.global()));
      } catch (UnsupportedException e) {
        problems.add(e.getMessage());
      } catch (IllegalArgumentException _) {
        problems.add(name + " is not installed");
      } catch (IllegalCallerException _) {
        problems.add("native calls are not allowed");
        break;
      }
    }
    throw new UnsupportedException(String.join("; ", problems));
  }

  private static Libcapstone bind(String name, SymbolLookup lookup) {
    var linker = Linker.nativeLinker();
    var versionOf = function(linker, name, lookup, "cs_version", JAVA_INT, ADDRESS, ADDRESS);
    int version;
    try {
      version = (int) versionOf.invokeExact(MemorySegment.NULL, MemorySegment.NULL);
    } catch (Throwable e) {
      throw failed(e);
    }
    // cs_insn: id, address, size, bytes[16] or, since 5, bytes[24], mnemonic[32], op_str[160],
    // detail
    int bytes =
        switch (version >> 8) {
          case 4 -> 16;
          case 5 -> 24;
          default ->
              throw new UnsupportedException(
                  name + " is of version " + text(version) + ", and only 4 and 5 are known");
        };
    int mnemonic = SIZE + 2 + bytes;
    return new Libcapstone(
        name,
        version,
        mnemonic,
        mnemonic + 32,
        function(linker, name, lookup, "cs_open", JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS),
        function(linker, name, lookup, "cs_close", JAVA_INT, ADDRESS),
        function(linker, name, lookup, "cs_option", JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_LONG),
        function(
            linker,
            name,
            lookup,
            "cs_disasm_iter",
            JAVA_BOOLEAN,
            JAVA_LONG,
            ADDRESS,
            ADDRESS,
            ADDRESS,
            ADDRESS));
  }

  private static MethodHandle function(
      Linker linker,
      String library,
      SymbolLookup lookup,
      String name,
      MemoryLayout result,
      MemoryLayout... parameters) {
    var address =
        lookup
            .find(name)
            .orElseThrow(() -> new UnsupportedException(library + " has no function " + name));
    return linker.downcallHandle(address, FunctionDescriptor.of(result, parameters));
  }

  /** {@link #version} for people. */
  String versionText() {
    return text(version);
  }

  private static String text(int version) {
    return (version >> 8) + "." + (version & 0xff);
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
