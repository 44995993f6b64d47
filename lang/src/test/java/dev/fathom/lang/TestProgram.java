// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Layout;
import dev.fathom.model.Located;
import dev.fathom.model.Memory;
import dev.fathom.model.Program;
import dev.fathom.model.Symbol;
import dev.fathom.model.SymbolTable;
import dev.fathom.model.Value;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.Member;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSource;
import dev.fathom.model.type.TypeSystem;
import dev.fathom.model.type.TypedefType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * A little program in memory:
 *
 * <pre>
 * typedef int pid_t;
 * enum state { RUNNING, SLEEPING = 5 };
 * struct inner { unsigned char low : 3, high : 5; short s; };
 * struct task { pid_t pid; int neg; struct task *next; char comm[8]; struct { long hidden; }; struct inner in[2]; };
 * struct task first = { 42, -7, &amp;second, "init", { 0x1122334455667788 }, { { 5, 17, -2 }, ... } }, second = { 43, ..., NULL, "kid" };
 * int counter (per CPU) ; void work(void);
 * </pre>
 */
final class TestProgram implements Program, Scope {
  static final long FIRST = 0xffff888000001000L;
  static final long SECOND = 0xffff888000002000L;
  static final long WORK = 0xffffffff81000010L;
  static final long PER_CPU_BASE = 0xffff888000010000L;

  private final TypeSystem types = new TypeSystem(8);
  private final HeapMemory memory = new HeapMemory("kernel", Layout.LITTLE_64);
  private final Map<String, Value> variables = new HashMap<>();
  private final Map<String, Value> convenience = new HashMap<>();
  private final Map<Long, byte[]> pages = new HashMap<>();

  /** Whether assignments and calls work. */
  boolean writable;

  /** Whether the frame is that of a method whose object is optimised out. */
  boolean inMethod;

  TestProgram() {
    var named = new LinkedHashMap<TypeName, CType>();
    var intType = new IntType("int", 4, true, false);
    var charType = new IntType("char", 1, true, true);
    var byteType = new IntType("unsigned char", 1, false, true);
    var shortType = new IntType("short int", 2, true, false);
    var longType = new IntType("long int", 8, true, false);
    for (var type : List.of(intType, charType, byteType, shortType, longType)) {
      named.put(TypeName.plain(type.name()), type);
    }
    named.put(TypeName.plain("_Bool"), new BoolType("_Bool", 1));
    var pid = new TypedefType("pid_t", () -> intType);
    named.put(TypeName.plain("pid_t"), pid);
    named.put(
        new TypeName(TypeName.Kind.ENUM, "state"),
        new EnumType(
            "state",
            4,
            false,
            List.of(
                new EnumType.Enumerator("RUNNING", 0), new EnumType.Enumerator("SLEEPING", 5))));
    var inner =
        new CompositeType(
            CompositeType.Kind.STRUCT,
            "inner",
            4,
            () ->
                List.of(
                    new Member("low", byteType, 0, 3),
                    new Member("high", byteType, 3, 5),
                    new Member("s", shortType, 16, 0)));
    named.put(TypeName.struct("inner"), inner);
    var anonymous =
        new CompositeType(
            CompositeType.Kind.STRUCT, "", 8, () -> List.of(new Member("hidden", longType, 0, 0)));
    var task = new CompositeType[1];
    task[0] =
        new CompositeType(
            CompositeType.Kind.STRUCT,
            "task",
            40,
            () ->
                List.of(
                    new Member("pid", pid, 0, 0),
                    new Member("neg", intType, 32, 0),
                    new Member("next", new PointerType(8, () -> task[0]), 64, 0),
                    new Member("comm", new ArrayType(() -> charType, OptionalLong.of(8)), 128, 0),
                    new Member("", anonymous, 192, 0),
                    new Member("in", new ArrayType(() -> inner, OptionalLong.of(2)), 256, 0)));
    named.put(TypeName.struct("task"), task[0]);
    types.add(new MapSource(named));
    pages.put(FIRST, task(42, -7, SECOND, "init"));
    memory.put(FIRST, pages.get(FIRST));
    memory.put(SECOND, task(43, 9, 0, "kid"));
    memory.put(PER_CPU_BASE + 0x40, new byte[] {1, 0, 0, 0});
    memory.put(PER_CPU_BASE + 0x1040, new byte[] {2, 0, 0, 0});
    variables.put("first", new Value.Ref(this, task[0], FIRST));
    variables.put("second", new Value.Ref(this, task[0], SECOND));
    variables.put("counter", new Value.Ref(this, intType, PER_CPU_BASE + 0x40));
    variables.put(
        "work", new Value.Ref(this, new FunctionType(() -> intType, List::of, false), WORK));
  }

  private static byte[] task(int pid, int neg, long next, String comm) {
    var bytes = ByteBuffer.allocate(40).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(pid).putInt(neg).putLong(next);
    bytes.put(16, comm.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    bytes.putLong(24, 0x1122334455667788L);
    bytes.put(32, (byte) (5 | 17 << 3)).putShort(34, (short) -2);
    bytes.put(36, (byte) (6 | 31 << 3)).putShort(38, (short) 3);
    return bytes.array();
  }

  private record MapSource(Map<TypeName, CType> named) implements TypeSource {
    @Override
    public String name() {
      return "test";
    }

    @Override
    public Optional<CType> find(TypeName name) {
      return Optional.ofNullable(named.get(name));
    }

    @Override
    public Optional<CType> ofSymbol(String symbol) {
      return Optional.empty();
    }

    @Override
    public Stream<CType> stream() {
      return named.values().stream();
    }
  }

  @Override
  public Architecture architecture() {
    throw new EvalException("the test program has no architecture");
  }

  @Override
  public AddressSpace memory() {
    return memory;
  }

  @Override
  public Memory physical() {
    return memory;
  }

  @Override
  public SymbolTable symbols() {
    return new SymbolTable() {
      @Override
      public Optional<Located> at(long address) {
        return Optional.empty();
      }

      @Override
      public List<Symbol> named(String name) {
        return name.equals("counter")
            ? List.of(new Symbol(name, 0x40, 4, Symbol.Kind.PER_CPU, 'A', ""))
            : List.of();
      }

      @Override
      public Stream<Symbol> stream() {
        return Stream.empty();
      }

      @Override
      public List<String> completions(String prefix, int limit) {
        return variables.keySet().stream()
            .filter(v -> v.startsWith(prefix))
            .sorted()
            .limit(limit)
            .toList();
      }
    };
  }

  @Override
  public TypeSystem types() {
    return types;
  }

  @Override
  public Value global(String name) {
    return variable(name).orElseThrow(() -> new LookupException("symbol", name));
  }

  @Override
  public long epoch() {
    return 0;
  }

  @Override
  public Program program() {
    return this;
  }

  @Override
  public Optional<Value> variable(String name) {
    if (inMethod && name.equals("this")) {
      throw new EvalException("this: optimized out");
    }
    return Optional.ofNullable(variables.get(name));
  }

  @Override
  public Optional<Value> dollar(String name) {
    if (convenience.containsKey(name)) {
      return Optional.of(convenience.get(name));
    }
    return name.equals("rip")
        ? Optional.of(new Value.Imm(this, new IntType("long unsigned int", 8, false, false), WORK))
        : Optional.empty();
  }

  @Override
  public void assign(String dollar, Value value) {
    if (!writable) {
      Scope.super.assign(dollar, value);
    }
    convenience.put(dollar, value);
  }

  @Override
  public void write(Value.Ref at, byte[] bytes) {
    if (!writable) {
      Scope.super.write(at, bytes);
    }
    System.arraycopy(bytes, 0, pages.get(FIRST), (int) (at.address() - FIRST), bytes.length);
  }

  @Override
  public Returned call(long function, CType result, List<Argument> arguments) {
    if (!writable) {
      return Scope.super.call(function, result, arguments);
    }
    var bytes = new byte[(int) result.bytes()];
    if (function == WORK) {
      bytes[0] = 77;
    }
    return new Returned(bytes, OptionalLong.empty());
  }

  @Override
  public long perCpu(long offset, int cpu) {
    if (cpu > 1) {
      throw new EvalException("no CPU " + cpu);
    }
    return PER_CPU_BASE + cpu * 0x1000L + offset;
  }

  @Override
  public Optional<Value> otherwise(String name) {
    return name.equals("SLEEPING") || name.equals("only_otherwise")
        ? Optional.of(new Value.Imm(this, CTypes.INT, 42))
        : Optional.empty();
  }
}
