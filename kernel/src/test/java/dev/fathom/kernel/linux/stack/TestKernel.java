// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.stack;

import dev.fathom.base.ByteSource;
import dev.fathom.base.LookupException;
import dev.fathom.base.Range;
import dev.fathom.format.orc.Orc;
import dev.fathom.format.orc.OrcLayout;
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
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.Member;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSource;
import dev.fathom.model.type.TypeSystem;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.model.unwind.UnwindSource;
import dev.fathom.symbols.OrcUnwindSource;
import dev.fathom.testkit.OrcWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.Stream;

/** A kernel made by hand: text with calls in it, symbols, types, per-CPU variables, ORC, stacks. */
final class TestKernel implements Program {
  static final long IMAGE = 0xffff_ffff_8100_0000L;
  static final int TEXT_BYTES = 0x10000;
  static final long PER_CPU = 0xffff_8880_1fc0_0000L;
  static final long TASK = 0xffff_8880_0010_0000L;

  /** {@code thread.sp} and {@code stack} in this kernel's {@code struct task_struct}. */
  private static final int TASK_SP = 0x40;

  private static final int TASK_STACK = 0x20;

  private static final IntType LONG = new IntType("unsigned long", 8, false, false);
  private static final IntType CHAR = new IntType("char", 1, true, true);

  private final Architecture architecture;
  final HeapMemory memory = new HeapMemory("kernel", Layout.LITTLE_64);
  final byte[] text = new byte[TEXT_BYTES];
  final ByteBuffer perCpu = area(PER_CPU, 0x1000);
  private final ByteBuffer task = area(TASK, 0x100);
  private final TreeMap<Long, Symbol> byAddress = new TreeMap<>(Long::compareUnsigned);
  private final Map<String, Symbol> byName = new HashMap<>();
  private final Map<String, CType> structs = new HashMap<>();
  private final TypeSystem types = new TypeSystem(8);
  private final OrcWriter orc = new OrcWriter(OrcWriter.Layout.V6_4, IMAGE + 0x100000);
  private int rows;

  TestKernel() {
    this(X86_64.INSTANCE);
  }

  TestKernel(Architecture architecture) {
    this.architecture = architecture;
    Arrays.fill(text, (byte) 0xcc);
    memory.put(IMAGE, text);
    symbol("_stext", IMAGE, Symbol.Kind.TEXT);
    symbol("_etext", IMAGE + TEXT_BYTES, Symbol.Kind.TEXT);
    types.add(new Structs());
    struct("task_struct", 0x100, Map.of("stack", TASK_STACK, "thread.sp", TASK_SP));
  }

  ByteBuffer area(long address, int bytes) {
    var array = new byte[bytes];
    memory.put(address, array);
    return ByteBuffer.wrap(array).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void symbol(String name, long address, Symbol.Kind kind) {
    var symbol = new Symbol(name, address, 0, kind, 't', "");
    byName.put(name, symbol);
    if (kind == Symbol.Kind.TEXT && !name.endsWith("text")) {
      byAddress.put(address, symbol);
    }
  }

  /** A function or other label at an offset in the image. */
  TestKernel label(String name, int offset) {
    symbol(name, IMAGE + offset, Symbol.Kind.TEXT);
    return this;
  }

  /** Also a per-CPU variable, with its value. */
  TestKernel perCpu(String name, int offset, long value) {
    symbol(name, offset, Symbol.Kind.PER_CPU);
    perCpu.putLong(offset, value);
    return this;
  }

  /** A structure with words at offsets; names with dots are members of members. */
  TestKernel struct(String tag, int bytes, Map<String, Integer> members) {
    var list = members(bytes, members);
    structs.put(
        "struct " + tag, new CompositeType(CompositeType.Kind.STRUCT, tag, bytes, () -> list));
    return this;
  }

  private static List<Member> members(int bytes, Map<String, Integer> members) {
    var list = new ArrayList<Member>();
    var nested = new TreeMap<String, Map<String, Integer>>();
    members.forEach(
        (name, offset) -> {
          int dot = name.indexOf('.');
          if (dot < 0) {
            list.add(new Member(name, LONG, 8L * offset, 0));
          } else {
            nested
                .computeIfAbsent(name.substring(0, dot), _ -> new HashMap<>())
                .put(name.substring(dot + 1), offset);
          }
        });
    nested.forEach(
        (name, inner) -> {
          var innerList = members(bytes, inner);
          var type = new CompositeType(CompositeType.Kind.STRUCT, "", bytes, () -> innerList);
          list.add(new Member(name, type, 0, 0));
        });
    return list;
  }

  /** {@code struct cea_exception_stacks}: a guard and a stack of {@code size} bytes for each. */
  TestKernel exceptionStacks(int size, String... names) {
    var list = new ArrayList<Member>();
    for (int i = 0; i < names.length; i++) {
      long at = 8L * (2L * i * size);
      var array = new ArrayType(() -> CHAR, OptionalLong.of(size));
      list.add(new Member(names[i] + "_guard", array, at, 0));
      list.add(new Member(names[i], array, at + 8L * size, 0));
    }
    structs.put(
        "struct cea_exception_stacks",
        new CompositeType(
            CompositeType.Kind.STRUCT,
            "cea_exception_stacks",
            2L * size * names.length,
            () -> list));
    return this;
  }

  TestKernel threadUnion(long bytes) {
    structs.put(
        "union thread_union",
        new CompositeType(CompositeType.Kind.UNION, "thread_union", bytes, List::of));
    return this;
  }

  /** A direct call of the instruction at {@code to}, in front of the return address it gives. */
  long call(int returnOffset, int to) {
    text[returnOffset - 5] = (byte) 0xe8;
    ByteBuffer.wrap(text)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(returnOffset - 4, to - returnOffset);
    return IMAGE + returnOffset;
  }

  /** The same for 64-bit Arm: {@code bl to}. */
  long branchLink(int returnOffset, int to) {
    instruction(returnOffset - 4, 0x9400_0000 | (((to - (returnOffset - 4)) / 4) & 0x3ff_ffff));
    return IMAGE + returnOffset;
  }

  /** And {@code blr x1}. */
  long indirectBranchLink(int returnOffset) {
    instruction(returnOffset - 4, 0xd63f_0020);
    return IMAGE + returnOffset;
  }

  private void instruction(int offset, int word) {
    ByteBuffer.wrap(text).order(ByteOrder.LITTLE_ENDIAN).putInt(offset, word);
  }

  /** The call {@code call *%rax} in front of the return address it gives. */
  long indirectCall(int returnOffset) {
    text[returnOffset - 2] = (byte) 0xff;
    text[returnOffset - 1] = (byte) 0xd0;
    return IMAGE + returnOffset;
  }

  /** The ORC row from {@code offset} on: the caller's sp is sp + {@code frame}, bp unchanged. */
  TestKernel callRow(int offset, int frame) {
    return row(offset, OrcWriter.SP, frame, OrcWriter.UNDEFINED, 0, OrcWriter.Type.CALL, false);
  }

  TestKernel registersRow(int offset, int spOffset) {
    return row(offset, OrcWriter.SP, spOffset, OrcWriter.UNDEFINED, 0, OrcWriter.Type.REGS, true);
  }

  TestKernel endRow(int offset) {
    return row(
        offset, OrcWriter.UNDEFINED, 0, OrcWriter.UNDEFINED, 0, OrcWriter.Type.END_OF_STACK, false);
  }

  TestKernel noRow(int offset) {
    return row(
        offset, OrcWriter.UNDEFINED, 0, OrcWriter.UNDEFINED, 0, OrcWriter.Type.UNDEFINED, false);
  }

  TestKernel row(
      int offset, int sp, int spOffset, int bp, int bpOffset, OrcWriter.Type type, boolean signal) {
    orc.entry(IMAGE + offset, sp, spOffset, bp, bpOffset, type, signal);
    rows++;
    return this;
  }

  /** The task at {@link #TASK}, with its stack and saved stack pointer. */
  TestKernel task(long stack, long sp) {
    task.putLong(TASK_STACK, stack);
    task.putLong(TASK_SP, sp);
    return this;
  }

  /** Another word of the task. */
  void taskWord(int offset, long value) {
    task.putLong(offset, value);
  }

  private List<UnwindSource> sources() {
    if (rows == 0) {
      return List.of();
    }
    noRow(TEXT_BYTES);
    return List.of(
        OrcUnwindSource.of(
            Orc.parse(
                ByteSource.of("orc_unwind_ip", orc.ips()),
                IMAGE + 0x100000,
                ByteSource.of("orc_unwind", orc.entries()),
                OrcLayout.V6_4)));
  }

  LinuxStacks stacks() {
    return LinuxStacks.x86(this, Range.of(IMAGE, 0x400000), () -> List.of(PER_CPU), sources());
  }

  LinuxStacks arm64Stacks() {
    return LinuxStacks.arm64(
        this, Range.of(IMAGE, 0x400000), List.of(), 48, () -> List.of(PER_CPU));
  }

  /** Frames as text: how, stack, function and offset, with {@code !} where the pc is exact. */
  List<String> text(Backtrace trace) {
    return trace.frames().stream()
        .map(
            f ->
                f.how().text()
                    + " "
                    + f.stack()
                    + " "
                    + symbols().at(f.lookup()).map(l -> l.symbol().name()).orElse("?")
                    + (f.exact() ? "!" : ""))
        .toList();
  }

  @Override
  public Architecture architecture() {
    return architecture;
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
    return new Symbols();
  }

  @Override
  public TypeSystem types() {
    return types;
  }

  @Override
  public Value global(String name) {
    throw new LookupException("variable", name);
  }

  @Override
  public long epoch() {
    return 0;
  }

  private final class Symbols implements SymbolTable {
    @Override
    public Optional<Located> at(long address) {
      var entry = byAddress.floorEntry(address);
      return entry == null || address - IMAGE < 0 || address - IMAGE >= TEXT_BYTES
          ? Optional.empty()
          : Optional.of(new Located(entry.getValue(), address - entry.getKey()));
    }

    @Override
    public List<Symbol> named(String name) {
      return byName.containsKey(name) ? List.of(byName.get(name)) : List.of();
    }

    @Override
    public Stream<Symbol> stream() {
      return byName.values().stream();
    }

    @Override
    public List<String> completions(String prefix, int limit) {
      return List.of();
    }
  }

  private final class Structs implements TypeSource {
    @Override
    public String name() {
      return "hand";
    }

    @Override
    public Optional<CType> find(TypeName name) {
      return Optional.ofNullable(structs.get(name.toString()));
    }

    @Override
    public Optional<CType> ofSymbol(String symbol) {
      return Optional.empty();
    }

    @Override
    public Stream<CType> stream() {
      return structs.values().stream();
    }
  }
}
