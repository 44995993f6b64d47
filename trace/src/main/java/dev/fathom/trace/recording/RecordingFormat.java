// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.recording;

import dev.fathom.trace.ArgumentType;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * The numbers of the format, whose grammar is (numbers little-endian; {@code varint} is unsigned
 * LEB128, {@code signed} a zigzag varint):
 *
 * <pre>
 *   file       = head , block*
 *   head       = "FATHOMTR" , u16 version (1) , u16 0 , u32 0
 *   block      = u32 length of the payload , u32 CRC-32C of kind and payload , u8 kind , payload
 *   kind 1     = entry*             dictionary, of what events of later blocks refer to
 *   kind 2     = event*
 *   entry      = u8 what , varint length , body
 *     1 tracepoint = string provider , string name , string format , varint n ,
 *                    n * { string name , u8 type }
 *     2 thread     = u64 id , varint (0, or 1 + process) , string name
 *     3 stack      = varint n , n * signed difference from the frame before
 *     4 name       = u64 address , varint n , n * { string name , string file , varint line }
 *     5 loss       = varint count , string what
 *     6 fact       = string key , string value
 *   event      = varint tracepoint , signed nanoseconds since the event before (the first of a
 *                block: since 0) , varint cpu , varint thread , varint (0, or 1 + stack) , arguments
 *   arguments  = integers: varint, signed where their type is; f32 u32; f64 u64; text and bytes:
 *                varint length , bytes
 *   string     = varint length , UTF-8
 * </pre>
 *
 * Tracepoints, threads and stacks are numbered in the order of their entries. A reader skips blocks
 * and entries of kinds that it does not know, and ends before the first block that is not whole.
 */
final class RecordingFormat {
  static final byte[] MAGIC = "FATHOMTR".getBytes(StandardCharsets.US_ASCII);
  static final int VERSION = 1;
  static final int HEAD = 16;
  static final int BLOCK_HEAD = 9;

  /** No writer makes longer blocks. */
  static final int MAX_BLOCK = 1 << 26;

  static final int DICTIONARY = 1;
  static final int EVENTS = 2;

  static final int TRACEPOINT = 1;
  static final int THREAD = 2;
  static final int STACK = 3;
  static final int NAME = 4;
  static final int LOSS = 5;
  static final int FACT = 6;

  private RecordingFormat() {}

  static int code(ArgumentType type) {
    return switch (type) {
      case CHAR -> 'c';
      case I8 -> 'b';
      case U8 -> 'B';
      case I16 -> 'h';
      case U16 -> 'H';
      case I32 -> 'i';
      case U32 -> 'I';
      case I64 -> 'q';
      case U64 -> 'Q';
      case BOOL -> '?';
      case F32 -> 'f';
      case F64 -> 'd';
      case POINTER -> 'P';
      case STRING -> 'p';
      case BYTES -> '*';
    };
  }

  static Optional<ArgumentType> type(int code) {
    for (var type : ArgumentType.values()) {
      if (code(type) == code) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }
}
