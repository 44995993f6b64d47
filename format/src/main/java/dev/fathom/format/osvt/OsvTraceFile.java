// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.osvt;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteCursor;
import dev.fathom.base.ByteSource;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A trace file of OSv, in one of two formats. What the debugger extension saves ({@code osv trace
 * save}; scripts/osv/trace.py, format version 3), numbers in the byte order of the machine that
 * saved it and packed but for arguments:
 *
 * <pre>
 *   file      = i32 version (3) , u64 n , n * tracepoint , event*
 *   tracepoint = u64 key , string name , string signature , string format
 *   string    = u16 length , bytes
 *   event     = u64 key , u64 thread , char[16] thread name , u64 time , u32 cpu ,
 *               { u64 frame } , u64 0 , arguments
 * </pre>
 *
 * What the REST server's {@code /trace/buffers} gives (core/trace.cc, {@code create_trace_dump}),
 * in the guest's byte order, every number aligned to its size in the file:
 *
 * <pre>
 *   file      = chunk OSVT { u32 1 , u32 version (1) , chunk* }
 *   chunk     = align 8 , u32 tag , u64 size , body
 *   TRCD      = u32 frames of a backtrace , u32 n , n * { u64 key , string id , string name ,
 *               string provider , string format , u32 nargs , nargs * { string name , char type } }
 *   MODS      = u32 n , n * { string path , u64 base , u64 size , u32 n , n * { string name ,
 *               u32 type , u32 info , u64 flags , u64 address , u64 offset , u64 size } }
 *   SYMB      = u32 n , n * { string name , u64 address , u64 size , string file ,
 *               u32 n , n * { u32 offset , u32 line } }
 *   TRCS      = align 8 , event*                        one for each CPU
 *   event     = align 8 , u64 key , u64 thread , char[16] thread name , u64 time , u32 cpu ,
 *               u32 flags (bit 0: a backtrace follows) , [ u64 frame * n ] , arguments
 * </pre>
 *
 * Arguments are aligned to their size, counted from the first one. A key of 0 or of all ones ends a
 * buffer. Other chunks are skipped.
 */
public final class OsvTraceFile {
  /** More tracepoints than any OSv has. */
  static final int MAX_TRACEPOINTS = 1 << 16;

  static final int MAX_ARGUMENTS = 256;

  /** OSv keeps ten. */
  static final int MAX_FRAMES = 1 << 12;

  private static final int VERSION = 3;
  private static final int TAG_FILE = 0x4f535654;
  private static final int TAG_DICTIONARY = 0x54524344;
  private static final int TAG_MODULES = 0x4d4f4453;
  private static final int TAG_SYMBOLS = 0x53594d42;
  private static final int TAG_EVENTS = 0x54524353;
  private static final int HEAD = 12;

  /** Which of the two a file is. */
  public enum Format {
    /** What the debugger extension saves. */
    TRACE_FILE,
    /** What the REST server gives. */
    DUMP
  }

  /** Where a buffer's events stand in the file. */
  record Buffer(long start, long end) {}

  private final ByteSource source;
  private final Format format;
  private final ByteOrder order;
  private final List<OsvTracepoint> tracepoints = new ArrayList<>();
  private final List<OsvModule> modules = new ArrayList<>();
  private final List<OsvSymbol> symbols = new ArrayList<>();
  private final List<Buffer> buffers = new ArrayList<>();
  private int backtraceLength;
  private KeyIndex index;

  private OsvTraceFile(ByteSource source, Format format, ByteOrder order) {
    this.source = source;
    this.format = format;
    this.order = order;
  }

  /** Whether the first bytes are those of one of the two formats. */
  public static boolean recognise(ByteSource source) {
    if (source.size() < HEAD) {
      return false;
    }
    int first = source.cursor(0, ByteOrder.LITTLE_ENDIAN).i32();
    return first == VERSION
        || first == Integer.reverseBytes(VERSION)
        || first == TAG_FILE
        || first == Integer.reverseBytes(TAG_FILE);
  }

  /**
   * Reads all but the events.
   *
   * @throws BadDataException when the bytes break their format
   */
  public static OsvTraceFile open(ByteSource source) {
    if (source.size() < HEAD) {
      throw new BadDataException(source.name(), 0, "too short for a trace file of OSv");
    }
    int first = source.cursor(0, ByteOrder.LITTLE_ENDIAN).i32();
    boolean swapped =
        first == Integer.reverseBytes(VERSION) || first == Integer.reverseBytes(TAG_FILE);
    var order = swapped ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    int tag = swapped ? Integer.reverseBytes(first) : first;
    if (tag != VERSION && tag != TAG_FILE) {
      throw new BadDataException(
          source.name(),
          0,
          "begins with 0x" + Integer.toHexString(first) + ", expected version 3 or the tag OSVT");
    }
    var file = new OsvTraceFile(source, tag == VERSION ? Format.TRACE_FILE : Format.DUMP, order);
    var cursor = source.cursor(4, order);
    switch (file.format) {
      case TRACE_FILE -> file.readTraceFile(cursor);
      case DUMP -> file.readDump(cursor);
    }
    file.index = new KeyIndex(file.tracepoints);
    return file;
  }

  public Format format() {
    return format;
  }

  public ByteOrder order() {
    return order;
  }

  /** The tracepoints, in the order of the file; events name them by their place here. */
  public List<OsvTracepoint> tracepoints() {
    return java.util.Collections.unmodifiableList(tracepoints);
  }

  public List<OsvModule> modules() {
    return java.util.Collections.unmodifiableList(modules);
  }

  public List<OsvSymbol> symbols() {
    return java.util.Collections.unmodifiableList(symbols);
  }

  /** How many buffers there are; a dump has one for each CPU. */
  public int buffers() {
    return buffers.size();
  }

  /** The events of one buffer, from its first on. */
  public OsvEvents events(int buffer) {
    var where = buffers.get(buffer);
    return new OsvEvents(
        source, order, format, tracepoints, index, backtraceLength, where.start(), where.end());
  }

  private void readTraceFile(ByteCursor cursor) {
    long count = cursor.u64();
    checkCount(cursor, "tracepoints", count);
    for (long i = 0; i < count; i++) {
      long key = cursor.u64();
      var name = string(cursor, false);
      long at = cursor.offset();
      var arguments = signature(cursor, at, string(cursor, false));
      tracepoints.add(new OsvTracepoint(key, name, name, "", string(cursor, false), arguments));
    }
    buffers.add(new Buffer(cursor.offset(), source.size()));
  }

  private static void checkCount(ByteCursor cursor, String what, long count) {
    if (count < 0 || count > MAX_TRACEPOINTS) {
      throw cursor.bad(
          cursor.offset(),
          Long.toUnsignedString(count) + " " + what + ", expected at most " + MAX_TRACEPOINTS);
    }
  }

  private static List<OsvArgument> signature(ByteCursor cursor, long at, String text) {
    var arguments = new ArrayList<OsvArgument>();
    int count = -1;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c >= '0' && c <= '9') {
        count = Math.min(Math.max(count, 0) * 10 + (c - '0'), 1 << 16);
        continue;
      }
      var type = type(cursor, at, c);
      int size = count < 0 ? type == OsvType.STRING ? 1 : type.size() : count;
      if (type == OsvType.STRING ? size < 1 || size > 256 : size != type.size()) {
        throw cursor.bad(at, "signature '" + text + "': unexpected size of '" + c + "'");
      }
      arguments.add(new OsvArgument("", type, size));
      count = -1;
    }
    if (count >= 0) {
      throw cursor.bad(at, "signature '" + text + "' ends in a size");
    }
    checkArguments(cursor, at, arguments.size());
    return arguments;
  }

  private static OsvType type(ByteCursor cursor, long at, int letter) {
    return OsvType.of(letter)
        .orElseThrow(
            () ->
                cursor.bad(
                    at,
                    "argument type 0x"
                        + Integer.toHexString(letter)
                        + ", expected a letter of cbBhHiIqQ?fdPp*"));
  }

  private static void checkArguments(ByteCursor cursor, long at, long count) {
    if (count > MAX_ARGUMENTS) {
      throw cursor.bad(at, count + " arguments, expected at most " + MAX_ARGUMENTS);
    }
  }

  private void readDump(ByteCursor cursor) {
    cursor.align(8);
    cursor.u64();
    if (cursor.u32() != 1) {
      throw cursor.bad(cursor.offset() - 4, "byte order is not that of the tag, expected 1");
    }
    long version = cursor.u32();
    if (version >>> 16 != 0) {
      throw cursor.bad(
          cursor.offset() - 4, "version 0x" + Long.toHexString(version) + ", expected 0x1");
    }
    while (cursor.remaining() >= HEAD) {
      if (((cursor.offset() + 7) & -8L) > source.size() - 16) {
        break;
      }
      cursor.align(8);
      int tag = cursor.i32();
      cursor.align(8);
      long size = cursor.u64();
      long start = cursor.offset();
      if (size < 0 || size > cursor.remaining()) {
        throw cursor.bad(
            start - 8,
            "chunk of "
                + Long.toUnsignedString(size)
                + " bytes, only "
                + cursor.remaining()
                + " are left");
      }
      switch (tag) {
        case TAG_DICTIONARY -> dictionary(body(start, size));
        case TAG_MODULES -> modules(body(start, size));
        case TAG_SYMBOLS -> symbols(body(start, size));
        case TAG_EVENTS -> buffers.add(new Buffer(start, start + size));
        default -> {}
      }
      cursor.seek(start + size);
    }
  }

  /** A cursor that ends with the chunk; its offsets are the file's, which alignment counts from. */
  private ByteCursor body(long start, long size) {
    return source.part(0, start + size).cursor(start, order);
  }

  private void dictionary(ByteCursor cursor) {
    long frames = cursor.u32();
    if (frames > MAX_FRAMES) {
      throw cursor.bad(
          cursor.offset() - 4,
          "backtraces of " + frames + " frames, expected at most " + MAX_FRAMES);
    }
    backtraceLength = (int) frames;
    long count = cursor.u32();
    checkCount(cursor, "tracepoints", count + tracepoints.size());
    for (long i = 0; i < count; i++) {
      long key = cursor.align(8).u64();
      var id = string(cursor, true);
      var name = string(cursor, true);
      var provider = string(cursor, true);
      var form = string(cursor, true);
      long n = cursor.align(4).u32();
      checkArguments(cursor, cursor.offset() - 4, n);
      var arguments = new ArrayList<OsvArgument>();
      for (long j = 0; j < n; j++) {
        var argument = string(cursor, true);
        var type = type(cursor, cursor.offset(), cursor.u8());
        arguments.add(new OsvArgument(argument, type, type.size()));
      }
      tracepoints.add(new OsvTracepoint(key, id, name, provider, form, arguments));
    }
  }

  private void modules(ByteCursor cursor) {
    long count = cursor.align(4).u32();
    for (long i = 0; i < count; i++) {
      var path = string(cursor, true);
      long base = cursor.align(8).u64();
      long size = cursor.u64();
      long n = cursor.u32();
      var sections = new ArrayList<OsvModule.Section>();
      for (long j = 0; j < n; j++) {
        var name = string(cursor, true);
        cursor.align(4).skip(8).align(8).skip(8);
        long address = cursor.u64();
        long offset = cursor.u64();
        sections.add(new OsvModule.Section(name, address, offset, cursor.u64()));
      }
      modules.add(new OsvModule(path, base, size, sections));
    }
  }

  private void symbols(ByteCursor cursor) {
    long count = cursor.align(4).u32();
    for (long i = 0; i < count; i++) {
      var name = string(cursor, true);
      long address = cursor.align(8).u64();
      long size = cursor.u64();
      var file = string(cursor, true);
      long lines = cursor.align(4).u32();
      cursor.skip(8 * lines);
      symbols.add(new OsvSymbol(name, address, size, file));
    }
  }

  private static String string(ByteCursor cursor, boolean aligned) {
    int length = (aligned ? cursor.align(2) : cursor).u16();
    return new String(cursor.bytes(length), StandardCharsets.UTF_8);
  }
}
