// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.FathomException;
import dev.fathom.model.Program;
import dev.fathom.model.Register;
import dev.fathom.model.Value;
import dev.fathom.model.arch.FlowKind;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.TypeName;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The tracepoints of a Linux kernel on x86-64, as it lists them itself between {@code
 * __start___tracepoints_ptrs} and {@code __stop___tracepoints_ptrs}, each a distance of 32 bits
 * from the place where it is (include/linux/tracepoint-defs.h, since 4.19), with the places that
 * the kernel jumps from when one is enabled, from {@code __start___jump_table} (include/linux/
 * jump_label.h, relative since 4.19):
 *
 * <pre>
 *   s32  code     distance of the no-operation from here
 *   s32  target   distance from here of where it would jump
 *   long key      distance of the static key from here; bit 0: the jump is the usual case,
 *                 bit 1: code that is gone once the kernel has started
 * </pre>
 *
 * Behind the jump is what {@code __DO_TRACE_CALL} made (include/linux/tracepoint.h, since 5.10):
 *
 * <pre>
 *   mov    __tracepoint_NAME.funcs(%rip), %REG
 *   test   %REG, %REG
 *   je     the end
 *   mov    8(%REG), %rdi                         the arguments follow in the usual registers
 *   call   __traceiter_NAME                      or its trampoline
 * </pre>
 *
 * A CPU can be led to that call and not be caught there, when the tracer is killed meanwhile. So
 * what is called has to look itself whether anybody listens: {@code __traceiter_NAME} does so since
 * 5.12, and in the updates of 5.10 from then on.
 */
final class Tracepoints {
  /** More of each than any kernel has. */
  private static final int MOST = 1 << 16;

  private static final int MOST_JUMPS = 1 << 20;

  /** Jumps that are followed: more than any kernel's tracepoints have together. */
  private static final int MOST_FOLLOWED = 1 << 17;

  private static final int POINTER = 4;
  private static final int JUMP = 16;
  private static final int TARGET = 4;
  private static final int KEY = 8;
  private static final int NAME = 128;

  /** How far the call is looked for behind the jump, and the test in who is called. */
  private static final int INSTRUCTIONS = 96;

  /** Bytes of the longest instruction. */
  private static final int LONGEST = 15;

  private static final long BRANCH = 1;
  private static final long INIT = 2;
  private static final long FLAGS = 3;

  /**
   * A place in the code at which a tracepoint is.
   *
   * @param code the no-operation
   * @param target where the kernel goes on when the tracepoint is enabled
   * @param load the instruction that looks who listens
   * @param register what it loads
   * @param loaded the instruction behind it
   * @param call the instruction that calls who listens, with the arguments in their registers
   * @param called the instruction behind it
   */
  record Site(
      long code, long target, long load, Register register, long loaded, long call, long called) {}

  /** A jump of the table. */
  private record Jump(long code, long target) {}

  /**
   * A tracepoint.
   *
   * @param address of its structure
   * @param key the address of its static key, which is not 0 while something listens
   * @param funcs the address of the pointer to who listens
   */
  record Tracepoint(String name, long address, long key, long funcs, List<Site> sites) {
    Tracepoint {
      sites = List.copyOf(sites);
    }
  }

  private final Program program;
  private final int mostFollowed;
  private Optional<List<Tracepoint>> all = Optional.empty();
  private Optional<String> note = Optional.empty();
  private int followed;

  Tracepoints(Program program) {
    this(program, MOST_FOLLOWED);
  }

  /**
   * The tracepoints of a kernel.
   *
   * @param mostFollowed how many jumps are followed
   */
  Tracepoints(Program program, int mostFollowed) {
    this.program = program;
    this.mostFollowed = mostFollowed;
  }

  /** All that can be followed, in the order of the kernel's table. */
  List<Tracepoint> all() {
    if (all.isEmpty()) {
      all = Optional.of(read());
    }
    return all.get();
  }

  /** The tracepoint of that name; empty where the kernel has none that can be followed. */
  Optional<Tracepoint> find(String name) {
    return all().stream().filter(one -> one.name().equals(name)).findFirst();
  }

  /**
   * The types of a tracepoint's {@code TP_PROTO}, from {@code btf_trace_NAME}, whose first
   * parameter is what who listens is given of his own. Empty where the kernel's types do not tell.
   */
  List<CType> parameters(String name) {
    var named = program.types().find(TypeName.plain("btf_trace_" + name));
    return named.map(CType::resolved).orElse(null) instanceof PointerType pointer
            && pointer.target().resolved() instanceof FunctionType type
        ? type.parameters().stream().skip(1).map(each -> each.type()).toList()
        : List.of();
  }

  /** What was left out of {@link #all}, if anything was. */
  Optional<String> note() {
    return note;
  }

  private List<Tracepoint> read() {
    if (program.architecture() != X86_64.INSTANCE) {
      return List.of();
    }
    var type = program.types().find(TypeName.struct("tracepoint"));
    var start = symbol("__start___tracepoints_ptrs");
    var stop = symbol("__stop___tracepoints_ptrs");
    if (type.isEmpty() || start.isEmpty() || stop.isEmpty()) {
      return List.of();
    }
    long count = Long.divideUnsigned(stop.get() - start.get(), POINTER);
    if (Long.compareUnsigned(count, MOST) > 0) {
      return List.of();
    }
    var jumps = jumps();
    var found = new ArrayList<Tracepoint>();
    for (long i = 0; i < count && note.isEmpty(); i++) {
      try {
        tracepoint(type.get(), relative(start.get() + i * POINTER), jumps).ifPresent(found::add);
      } catch (FathomException _) {
        continue; // One whose memory is not there cannot be followed.
      }
    }
    return List.copyOf(found);
  }

  /**
   * {@code regfunc} of the tracepoint; since 6.13 of what its {@code ext} points to, if it has one.
   */
  private static boolean needsCall(Value.Ref tracepoint, CType type) {
    boolean own =
        type.resolved() instanceof CompositeType all
            && all.members().stream().anyMatch(member -> member.name().equals("regfunc"));
    if (own) {
      return tracepoint.member("regfunc").asLong() != 0;
    }
    var more = tracepoint.member("ext");
    return more.asLong() != 0 && more.deref().member("regfunc").asLong() != 0;
  }

  private Optional<Tracepoint> tracepoint(CType type, long at, Map<Long, List<Jump>> jumps) {
    var value = new Value.Ref(program, type, at);
    if (needsCall(value, type)) {
      return Optional.empty(); // It needs more than its key: the kernel has to be told by a call.
    }
    long key = value.member("key").address();
    var name = program.memory().cString(value.member("name").asLong(), NAME);
    long funcs = value.member("funcs").address();
    long iterator = value.member("iterator").asLong();
    if (!bearsNobody(iterator, funcs)) {
      return Optional.empty();
    }
    var calls = new HashSet<>(List.of(iterator, value.member("static_call_tramp").asLong()));
    var sites = new ArrayList<Site>();
    for (var jump : jumps.getOrDefault(key, List.of())) {
      if (followed >= mostFollowed) {
        note =
            Optional.of(
                "tracepoint "
                    + name
                    + " and those behind it are left out: the kernel's table of jumps leads to more"
                    + " than "
                    + mostFollowed
                    + " places");
        return Optional.empty();
      }
      followed++;
      site(jump, funcs, calls).ifPresent(sites::add);
    }
    return sites.isEmpty()
        ? Optional.empty()
        : Optional.of(new Tracepoint(name, at, key, funcs, sites));
  }

  /** Whether a tracepoint's iterator may be called when nobody listens: it tests what it loads. */
  private boolean bearsNobody(long iterator, long funcs) {
    var decoder = program.architecture().flowDecoder();
    long at = iterator;
    Optional<Register> register = Optional.empty();
    for (int i = 0; i < INSTRUCTIONS; i++) {
      var code = new byte[LONGEST];
      int got = program.memory().read(at, MemorySegment.ofArray(code));
      var flow = decoder.decode(code, 0, got, at);
      if (flow.isEmpty()) {
        return false;
      }
      at += flow.get().length();
      if (register.isEmpty()) {
        register = loads(code, at, funcs);
      } else if (tests(code, register.get())) {
        return true;
      } else if (flow.get().kind() != FlowKind.NEXT) {
        return false;
      }
    }
    return false;
  }

  /** Whether an instruction is {@code test %r64, %r64} of one register. */
  private static boolean tests(byte[] code, Register register) {
    int number = (code[2] & 7) | (code[0] & 1) << 3;
    return (code[0] == 0x48 || code[0] == 0x4d)
        && (code[1] & 0xff) == 0x85
        && (code[2] & 0xff) == (0xc0 | (code[2] & 7) * 9)
        && X86_64.ENCODED.get(number).equals(register);
  }

  /** What is behind a jump, where it is a tracepoint's own and not a question whether it is on. */
  private Optional<Site> site(Jump jump, long funcs, Set<Long> calls) {
    var decoder = program.architecture().flowDecoder();
    long at = jump.target();
    long load = 0;
    long loaded = 0;
    Optional<Register> register = Optional.empty();
    for (int i = 0; i < INSTRUCTIONS; i++) {
      var code = new byte[LONGEST];
      int got = program.memory().read(at, MemorySegment.ofArray(code));
      var flow = decoder.decode(code, 0, got, at);
      if (flow.isEmpty()) {
        return Optional.empty();
      }
      long next = at + flow.get().length();
      if (register.isEmpty()) {
        register = loads(code, next, funcs);
        load = at;
        loaded = next;
      }
      switch (flow.get().kind()) {
        case CALL -> {
          if (register.isPresent()
              && flow.get().target().isPresent()
              && calls.contains(flow.get().target().getAsLong())) {
            return Optional.of(
                new Site(jump.code(), jump.target(), load, register.get(), loaded, at, next));
          }
        }
        case JUMP -> {
          if (flow.get().target().isEmpty()) {
            return Optional.empty();
          }
          next = flow.get().target().getAsLong();
        }
        case RETURN -> {
          return Optional.empty();
        }
        default -> {}
      }
      at = next;
    }
    return Optional.empty();
  }

  /**
   * The register that an instruction loads from {@code address}: {@code mov disp32(%rip), %r64} or
   * {@code mov disp32, %r64}.
   */
  private static Optional<Register> loads(byte[] code, long next, long address) {
    if ((code[0] & 0xfb) != 0x48 || (code[1] & 0xff) != 0x8b || (code[2] & 0xc0) != 0) {
      return Optional.empty();
    }
    int number = (code[2] >> 3 & 7) | (code[0] & 4) << 1;
    var bytes = ByteBuffer.wrap(code).order(ByteOrder.LITTLE_ENDIAN);
    long from =
        switch (code[2] & 7) {
          case 5 -> next + bytes.getInt(3);
          case 4 -> code[3] == 0x25 ? bytes.getInt(4) : 0;
          default -> 0;
        };
    return from == address ? Optional.of(X86_64.ENCODED.get(number)) : Optional.empty();
  }

  /** By the addresses of the keys. */
  private Map<Long, List<Jump>> jumps() {
    var found = new HashMap<Long, List<Jump>>();
    var start = symbol("__start___jump_table");
    var stop = symbol("__stop___jump_table");
    var type = program.types().find(TypeName.struct("jump_entry"));
    if (start.isEmpty() || stop.isEmpty() || type.isEmpty() || type.get().bytes() != JUMP) {
      return found;
    }
    long count = Long.divideUnsigned(stop.get() - start.get(), JUMP);
    if (Long.compareUnsigned(count, MOST_JUMPS) > 0) {
      return found;
    }
    var table = new byte[(int) count * JUMP];
    int got = program.memory().read(start.get(), MemorySegment.ofArray(table));
    var jumps = ByteBuffer.wrap(table).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at + JUMP <= got; at += JUMP) {
      long here = start.get() + at;
      long key = jumps.getLong(at + KEY);
      if ((key & (BRANCH | INIT)) == 0) {
        var jump = new Jump(here + jumps.getInt(at), here + TARGET + jumps.getInt(at + TARGET));
        found.computeIfAbsent(here + KEY + (key & ~FLAGS), _ -> new ArrayList<>()).add(jump);
      }
    }
    return found;
  }

  private Optional<Long> symbol(String name) {
    return program.symbols().first(name).map(symbol -> symbol.address());
  }

  private long relative(long at) {
    return at + program.memory().i32(at);
  }
}
