// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

import static dev.fathom.dtrace.ir.IrType.INT;
import static dev.fathom.dtrace.ir.IrType.STRING;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * D's subroutines. Arguments that D allows to leave out are always present here: the compiler
 * supplies the value that D defines.
 */
public enum Subroutine {
  /** Bytes of scratch memory, zeroed, until the end of the clause: its address. */
  ALLOCA("alloca", INT, INT),
  /** A {@code struct task_struct *}: the words that its process was started with. */
  ARGUMENTS("__arguments", STRING, INT),
  BASENAME("basename", STRING, STRING),
  /** From, to (scratch), bytes. */
  BCOPY("bcopy", INT, INT, INT, INT),
  /** String, index: the byte there, behind its end 0; what {@code s[i]} stands for. */
  CHARACTER("character", INT, STRING, INT),
  CLEANPATH("cleanpath", STRING, STRING),
  /** User address, bytes: the address of a scratch copy. */
  COPYIN("copyin", INT, INT, INT),
  /** User address, most bytes. */
  COPYINSTR("copyinstr", STRING, INT, INT),
  /** User address, bytes, to (scratch). */
  COPYINTO("copyinto", INT, INT, INT, INT),
  /** From, user address, bytes. Destructive. */
  COPYOUT("copyout", INT, INT, INT, INT),
  /** String, user address, most bytes. Destructive. */
  COPYOUTSTR("copyoutstr", INT, STRING, INT, INT),
  /** The path of a {@code struct path *}. */
  D_PATH("d_path", STRING, INT),
  DIRNAME("dirname", STRING, STRING),
  /** The kernel stack as VProbes writes it: {@code GUEST,0xaddress,0xaddress,...}. */
  GUESTSTACK("gueststack", STRING),
  /** The number of an open file of the process on the CPU, 0 for its offset, 1 for its flags. */
  FILE_NUMBER("__file_number", INT, INT, INT),
  /**
   * The number of an open file of the process on the CPU, 0 for its path, 1 for its file system's
   * type, 2 for where that is mounted; {@code <none>} where none is open.
   */
  FILE_TEXT("__file_text", STRING, INT, INT),
  /** The number of an open file of the process on the CPU: its structure's address, or 0. */
  GETF("getf", INT, INT),
  HTONL("htonl", INT, INT),
  HTONLL("htonll", INT, INT),
  HTONS("htons", INT, INT),
  /** Haystack, needle, first index: an index or -1. */
  INDEX("index", INT, STRING, STRING, INT),
  /** Address of 4 bytes. */
  INET_NTOA("inet_ntoa", STRING, INT),
  /** Address of 16 bytes. */
  INET_NTOA6("inet_ntoa6", STRING, INT),
  /** Address family, address of the bytes. */
  INET_NTOP("inet_ntop", STRING, INT, INT),
  /** JSON text, path such as {@code a.b[2]}: the value's text; empty when there is none. */
  JSON("json", STRING, STRING, STRING),
  /** Hardware type ({@code ARPHRD_*}), address of the bytes. */
  LINK_NTOP("link_ntop", STRING, INT, INT),
  /** Value, base 2 to 36; base 16 writes {@code 0x}, base 8 {@code 0}. */
  LLTOSTR("lltostr", STRING, INT, INT),
  /** Address, bytes: the address of those two words in scratch memory, for {@code printm()}. */
  MEMREF("memref", INT, INT, INT),
  /** Address, byte, size: the bytes before the last, that byte in place of every NUL. */
  MEMSTR("memstr", STRING, INT, INT, INT),
  NTOHL("ntohl", INT, INT),
  NTOHLL("ntohll", INT, INT),
  NTOHS("ntohs", INT, INT),
  /** A {@code struct page *} with content of a file: its offset in that. */
  PAGE_OFFSET("__page_offset", INT, INT),
  /** A {@code struct page *} with content of a file; then as {@link #FILE_TEXT}. */
  PAGE_TEXT("__page_text", STRING, INT, INT),
  PROGENYOF("progenyof", INT, INT),
  /** A pseudo-random number of 32 bits. */
  RAND("rand", INT),
  /** Haystack, needle, last index. */
  RINDEX("rindex", INT, STRING, STRING, INT),
  /** A free speculation's id; 0 when none is free. */
  SPECULATION("speculation", INT),
  STRCHR("strchr", STRING, STRING, INT),
  STRJOIN("strjoin", STRING, STRING, STRING),
  STRLEN("strlen", INT, STRING),
  /** Address, its significant bits: without a signature in those above them. */
  STRIP("strip", INT, INT, INT),
  STRRCHR("strrchr", STRING, STRING, INT),
  STRSTR("strstr", STRING, STRING, STRING),
  /** Text, base 2 to 36. */
  STRTOLL("strtoll", INT, STRING, INT),
  /** String, delimiters; the empty string of {@code NULL} goes on with the last one's rest. */
  STRTOK("strtok", STRING, STRING, STRING),
  /** {@code strtok(NULL, delimiters)}. */
  STRTOK_NEXT("strtok_next", STRING, STRING),
  /** String, first index, length ({@link Long#MAX_VALUE} for the rest). */
  SUBSTR("substr", STRING, STRING, INT, INT),
  TOLOWER("tolower", STRING, STRING),
  TOUPPER("toupper", STRING, STRING),
  /** Address of 16 bytes. */
  UUIDSTR("uuidstr", STRING, INT);

  private final String text;
  private final IrType result;
  private final List<IrType> parameters;

  Subroutine(String text, IrType result, IrType... parameters) {
    this.text = text;
    this.result = result;
    this.parameters = List.of(parameters);
  }

  /** The name in D. */
  public String text() {
    return text;
  }

  public IrType result() {
    return result;
  }

  public List<IrType> parameters() {
    return parameters;
  }

  /** Whether it stands for something that D writes otherwise: a program cannot name it. */
  public boolean inner() {
    return this == STRTOK_NEXT || this == CHARACTER;
  }

  /** Whether D's own library is to name it, and no program is told of it. */
  public boolean library() {
    return text.startsWith("__");
  }

  /** Whether it changes the target, which only {@code -w} allows. */
  public boolean destructive() {
    return this == COPYOUT || this == COPYOUTSTR;
  }

  /** Those that ask nothing of an operating system, which not every engine has before it. */
  public static Set<Subroutine> withoutSystem() {
    return EnumSet.complementOf(
        EnumSet.of(ARGUMENTS, D_PATH, FILE_NUMBER, FILE_TEXT, GETF, PAGE_OFFSET, PAGE_TEXT));
  }

  public static Optional<Subroutine> named(String name) {
    return Arrays.stream(values()).filter(s -> s.text.equals(name)).findFirst();
  }
}
