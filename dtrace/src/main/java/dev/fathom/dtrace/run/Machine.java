// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.run;

import dev.fathom.base.EvalException;
import dev.fathom.dtrace.ir.DVariable;
import dev.fathom.dtrace.ir.IrProgram;
import dev.fathom.dtrace.ir.IrType;
import dev.fathom.dtrace.ir.Space;
import dev.fathom.dtrace.ir.VariableMemory;
import dev.fathom.dtrace.probe.EnabledProbe;
import dev.fathom.dtrace.probe.ProbeContext;
import dev.fathom.dtrace.record.DValue;
import dev.fathom.dtrace.record.Drop;
import dev.fathom.dtrace.record.FaultKind;
import dev.fathom.dtrace.record.Item;
import dev.fathom.dtrace.record.Key;
import dev.fathom.dtrace.record.RecordSink;
import dev.fathom.model.Memory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The state of a program that runs: variables, speculations, and what the current clause uses. */
final class Machine {
  /**
   * Where scratch memory is: an address that no 64-bit kernel has anything at, as bits 47 to 63 of
   * an address there are equal (x86-64 with five levels: 56 to 63).
   */
  static final long SCRATCH = 0x5fa0_0000_0000_0000L;

  /** What a dynamic variable takes beside its keys and value, as counted against dynvarsize. */
  private static final int ENTRY = 48;

  private static final int LONGEST_FRAMES = 8192;

  final IrProgram program;
  final RecordSink sink;
  final ByteOrder order;
  final int strsize;

  // Of the firing
  ProbeContext context;
  EnabledProbe enabled;
  boolean exited;

  // Of the clause
  int statement;
  int speculation;
  boolean abandoned;
  final List<Item> items = new ArrayList<>();
  long[] numbers = new long[8];
  Object[] things = new Object[8];
  private byte[] scratch = new byte[0];
  private int scratchUsed;
  String token = "";
  int tokenAt;

  // A fault is thrown as always the same exception: making one for each would cost more than all
  // else.
  private final EvalException fault = new EvalException("fault in a probe");
  FaultKind faultKind = FaultKind.UNKNOWN;
  long faultValue;

  // Variables
  final long[] globalNumbers;
  final Object[] globalThings;
  final long[] clauseNumbers;
  final Object[] clauseThings;
  private final boolean hasClauseVariables;
  private final Map<Long, Locals> threads = new HashMap<>();
  private final List<Map<Key, Object>> arrays = new ArrayList<>();
  private long dynamicBytes;
  private long threadKey;
  private Locals threadLocals;

  // Speculations
  private final BitSet speculations = new BitSet();
  private long random;

  private static final class Locals {
    final long[] numbers;
    final Object[] things;
    int set;

    Locals(int count) {
      numbers = new long[count];
      things = new Object[count];
    }
  }

  Machine(IrProgram program, RecordSink sink, ByteOrder order, long seed) {
    this.program = program;
    this.sink = sink;
    this.order = order;
    this.strsize = program.limits().strsize();
    this.random = seed;
    int count = program.variables().size();
    globalNumbers = new long[count];
    globalThings = new Object[count];
    clauseNumbers = new long[count];
    clauseThings = new Object[count];
    hasClauseVariables =
        program.variables().stream().anyMatch(v -> v.scope() == DVariable.Scope.CLAUSE);
    for (var _ : program.variables()) {
      arrays.add(new HashMap<>());
    }
    int locals = program.clauses().stream().mapToInt(c -> c.locals()).max().orElse(0);
    numbers = new long[locals];
    things = new Object[locals];
  }

  void enterFiring(ProbeContext where) {
    context = where;
    threadLocals = null;
    if (hasClauseVariables) {
      Arrays.fill(clauseNumbers, 0);
      Arrays.fill(clauseThings, null);
    }
  }

  void enterClause(EnabledProbe probe) {
    enabled = probe;
    statement = 0;
    speculation = 0;
    abandoned = false;
    scratchUsed = 0;
    items.clear();
  }

  RuntimeException fail(FaultKind kind, long value) {
    faultKind = kind;
    faultValue = value;
    return fault;
  }

  boolean isFault(EvalException e) {
    return e == fault;
  }

  /** The value of a variable that was never set. */
  static Object nothing(IrType type) {
    return switch (type) {
      case IrType.Blob b -> new byte[b.bytes()];
      case IrType.Word w ->
          switch (w) {
            case INT -> throw new IllegalStateException("a number is no thing");
            case STRING -> "";
            case STACK -> new DValue.Stack(new long[0]);
            case USTACK -> new DValue.UserStack(0, new long[0]);
            case UADDR -> new DValue.UserAddress(0, 0);
          };
    };
  }

  static DValue recorded(Object thing) {
    return switch (thing) {
      case String s -> new DValue.Text(s);
      case byte[] b -> new DValue.Blob(b);
      default -> (DValue) thing;
    };
  }

  static Object thing(DValue value) {
    return switch (value) {
      case DValue.Text t -> t.bytes();
      case DValue.Blob b -> b.bytes();
      case DValue.Num _, DValue.Stack _, DValue.UserStack _, DValue.UserAddress _ -> value;
    };
  }

  // Thread-local variables

  private Locals locals() {
    long key = context.thread();
    if (threadLocals == null || threadKey != key) {
      threadLocals = threads.get(key);
      threadKey = key;
    }
    return threadLocals;
  }

  private Locals makeLocals() {
    var l = locals();
    if (l == null) {
      l = new Locals(program.variables().size());
      threads.put(threadKey, l);
      threadLocals = l;
    }
    return l;
  }

  long threadNumber(int id) {
    var l = locals();
    return l == null ? 0 : l.numbers[id];
  }

  Object threadThing(int id) {
    var l = locals();
    return l == null ? null : l.things[id];
  }

  void setThreadNumber(int id, long value) {
    var l = value == 0 ? locals() : makeLocals();
    if (l == null) {
      return;
    }
    account(l, l.numbers[id] != 0, value != 0, ENTRY);
    if (value == 0 || dynamicBytes <= program.limits().dynvarsize()) {
      l.numbers[id] = value;
    } else {
      dropDynamic(l, l.numbers[id] != 0, ENTRY);
    }
    release(l);
  }

  void setThreadThing(int id, Object value) {
    boolean zero = isZero(value);
    var l = zero ? locals() : makeLocals();
    if (l == null) {
      return;
    }
    int size = ENTRY + size(value);
    int old = l.things[id] == null ? 0 : ENTRY + size(l.things[id]);
    if (!zero && dynamicBytes - old + size > program.limits().dynvarsize()) {
      sink.dropped(Drop.DYNAMIC_VARIABLE, context.cpu(), 1);
      release(l);
      return;
    }
    dynamicBytes += (zero ? 0 : size) - old;
    l.set += (zero ? 0 : 1) - (old == 0 ? 0 : 1);
    l.things[id] = zero ? null : value;
    release(l);
  }

  private void account(Locals l, boolean was, boolean is, int bytes) {
    int change = (is ? 1 : 0) - (was ? 1 : 0);
    l.set += change;
    dynamicBytes += (long) change * bytes;
  }

  private void dropDynamic(Locals l, boolean was, int bytes) {
    if (!was) {
      account(l, true, false, bytes);
    }
    sink.dropped(Drop.DYNAMIC_VARIABLE, context.cpu(), 1);
  }

  /** A thread without variables is forgotten. */
  private void release(Locals l) {
    if (l.set == 0) {
      threads.remove(threadKey);
      threadLocals = null;
    }
  }

  private static int size(Object value) {
    return switch (value) {
      case String s -> s.length();
      case byte[] b -> b.length;
      case Long _, DValue.Num _ -> 8;
      case DValue.Stack s -> s.pcs().length * 8;
      case DValue.UserStack s -> s.pcs().length * 8;
      default -> 16;
    };
  }

  private static boolean isZero(Object value) {
    return switch (value) {
      case Long l -> l == 0;
      case String s -> s.isEmpty();
      case byte[] b -> isZero(b);
      default -> false;
    };
  }

  private static boolean isZero(byte[] bytes) {
    for (byte b : bytes) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  // Associative arrays

  Object element(int id, Key key) {
    return arrays.get(id).get(key);
  }

  void setElement(int id, Key key, Object value) {
    var array = arrays.get(id);
    if (isZero(value)) {
      var old = array.remove(key);
      if (old != null) {
        dynamicBytes -= bytes(key, old);
      }
      return;
    }
    var old = array.get(key);
    long change = bytes(key, value) - (old == null ? 0 : bytes(key, old));
    if (dynamicBytes + change > program.limits().dynvarsize()) {
      sink.dropped(Drop.DYNAMIC_VARIABLE, context.cpu(), 1);
      return;
    }
    dynamicBytes += change;
    array.put(key, value);
  }

  /** What an element takes of {@code dynvarsize}: its keys and its value, as D has them. */
  private static long bytes(Key key, Object value) {
    long total = size(value);
    for (int i = 0; i < key.size(); i++) {
      total += size(thing(key.get(i)));
    }
    return total;
  }

  // Memory

  private boolean inScratch(long address, long bytes) {
    long offset = address - SCRATCH;
    return offset >= 0 && bytes >= 0 && offset <= scratchUsed && bytes <= scratchUsed - offset;
  }

  private static boolean nearScratch(long address) {
    long offset = address - SCRATCH;
    return offset >= 0 && offset < 1L << 32;
  }

  private Memory memory(Space space) {
    return switch (space) {
      case KERNEL -> context.kernel();
      case USER -> context.user();
    };
  }

  long load(Space space, long address, int bytes) {
    if (space == Space.KERNEL && nearScratch(address)) {
      requireScratch(address, bytes);
      return number(scratch, (int) (address - SCRATCH), bytes);
    }
    if (space == Space.KERNEL && inVariables(address)) {
      return number(variable(address, bytes), (int) VariableMemory.offset(address), bytes);
    }
    return memory(space).unsigned(address, bytes);
  }

  private void requireScratch(long address, long bytes) {
    if (!inScratch(address, bytes)) {
      throw fail(FaultKind.BAD_ADDRESS, address);
    }
  }

  byte[] bytes(Space space, long address, int count) {
    if (space == Space.KERNEL && nearScratch(address)) {
      requireScratch(address, count);
      int from = (int) (address - SCRATCH);
      return Arrays.copyOfRange(scratch, from, from + count);
    }
    if (space == Space.KERNEL && inVariables(address)) {
      int from = (int) VariableMemory.offset(address);
      return Arrays.copyOfRange(variable(address, count), from, from + count);
    }
    return memory(space).bytes(address, count);
  }

  /** The bytes before a NUL, at most {@code limit}. */
  String string(Space space, long address, long limit) {
    int most = (int) Math.min(strsize, Math.max(0, limit));
    if (space == Space.KERNEL && nearScratch(address)) {
      requireScratch(address, 0);
      int from = (int) (address - SCRATCH);
      return latin(scratch, from, Math.min(most, scratchUsed - from));
    }
    if (space == Space.KERNEL && inVariables(address)) {
      var bytes = variable(address, 0);
      int from = (int) VariableMemory.offset(address);
      return latin(bytes, from, Math.min(most, bytes.length - from));
    }
    var m = memory(space);
    var text = new StringBuilder();
    var buffer = new byte[Math.min(most, 64)];
    while (text.length() < most) {
      int want = Math.min(buffer.length, most - text.length());
      long at = address + text.length();
      int got = m.read(at, MemorySegment.ofArray(buffer).asSlice(0, want));
      for (int i = 0; i < got; i++) {
        if (buffer[i] == 0) {
          return text.toString();
        }
        text.append((char) (buffer[i] & 0xff));
      }
      if (got < want) {
        throw m.fault(at + got);
      }
    }
    return text.toString();
  }

  /** The string in an array, from an index up to a NUL or a count. */
  static String latin(byte[] bytes, int from, int count) {
    int end = from;
    while (end < from + count && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, from, end - from, java.nio.charset.StandardCharsets.ISO_8859_1);
  }

  /** All of an array, with {@code instead} in place of every NUL. */
  static String latin(byte[] bytes, char instead) {
    return new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1).replace('\0', instead);
  }

  long number(byte[] bytes, int from, int count) {
    long value = 0;
    boolean little = order == ByteOrder.LITTLE_ENDIAN;
    for (int i = 0; i < count; i++) {
      value = value << 8 | (bytes[from + (little ? count - 1 - i : i)] & 0xff);
    }
    return value;
  }

  void put(byte[] bytes, int from, int count, long value) {
    boolean little = order == ByteOrder.LITTLE_ENDIAN;
    for (int i = 0; i < count; i++) {
      bytes[from + (little ? i : count - 1 - i)] = (byte) (value >> (8 * i));
    }
  }

  private boolean inVariables(long address) {
    return VariableMemory.variable(address, globalThings.length).isPresent();
  }

  /** The bytes of the global variable at an address, of which so many from there on are needed. */
  private byte[] variable(long address, long count) {
    int id = VariableMemory.variable(address, globalThings.length).getAsInt();
    var v = program.variables().get(id);
    boolean holds =
        v.scope() == DVariable.Scope.GLOBAL
            && v.keys().isEmpty()
            && v.type() instanceof IrType.Blob blob
            && VariableMemory.offset(address) + count <= blob.bytes();
    if (!holds) {
      throw fail(FaultKind.BAD_ADDRESS, address);
    }
    if (globalThings[id] == null) {
      globalThings[id] = nothing(v.type());
    }
    return (byte[]) globalThings[id];
  }

  void store(long address, int bytes, long value) {
    if (inVariables(address)) {
      // What was read before keeps its bytes.
      var changed = variable(address, bytes).clone();
      put(changed, (int) VariableMemory.offset(address), bytes, value);
      globalThings[VariableMemory.variable(address, globalThings.length).getAsInt()] = changed;
      return;
    }
    requireScratch(address, bytes);
    put(scratch, (int) (address - SCRATCH), bytes, value);
  }

  void store(long address, byte[] bytes) {
    requireScratch(address, bytes.length);
    System.arraycopy(bytes, 0, scratch, (int) (address - SCRATCH), bytes.length);
  }

  /** The address of {@code bytes} fresh bytes of zeros, 8-aligned. */
  long allocate(long bytes) {
    int start = (scratchUsed + 7) & ~7;
    if (bytes < 0 || bytes > program.limits().scratchsize() - start) {
      throw fail(FaultKind.NO_SCRATCH, 0);
    }
    int end = start + (int) bytes;
    if (end > scratch.length) {
      scratch =
          Arrays.copyOf(scratch, Math.min(program.limits().scratchsize(), Math.max(4096, end * 2)));
    }
    Arrays.fill(scratch, scratchUsed, end, (byte) 0);
    scratchUsed = end;
    return SCRATCH + start;
  }

  // Speculations

  long newSpeculation() {
    int free = speculations.nextClearBit(1);
    if (free > program.limits().nspec()) {
      sink.dropped(Drop.SPECULATION_UNAVAILABLE, context.cpu(), 1);
      return 0;
    }
    speculations.set(free);
    return free;
  }

  /** {@code id}, which is a fault where no speculation can have it. */
  long speculationId(long id) {
    if (id < 0 || id > program.limits().nspec()) {
      throw fail(FaultKind.ILLEGAL_OPERATION, 0);
    }
    return id;
  }

  boolean isSpeculation(long id) {
    return id > 0 && id <= program.limits().nspec() && speculations.get((int) id);
  }

  void endSpeculation(long id) {
    speculations.clear((int) id);
  }

  /** 32 bits (xorshift64*, Vigna 2014). */
  long nextRandom() {
    random ^= random >>> 12;
    random ^= random << 25;
    random ^= random >>> 27;
    return (random * 0x2545f4914f6cdd1dL) >>> 32;
  }

  DValue stack(int frames) {
    return new DValue.Stack(context.stack(Math.min(frames, LONGEST_FRAMES)));
  }
}
