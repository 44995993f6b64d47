// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.FaultException;
import dev.fathom.base.JsonRenderer;
import dev.fathom.base.LookupException;
import dev.fathom.base.Outcome;
import dev.fathom.base.Range;
import dev.fathom.base.TextRenderer;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelCpu;
import dev.fathom.kernel.LogEntry;
import dev.fathom.kernel.Mapping;
import dev.fathom.kernel.MemoryUse;
import dev.fathom.kernel.Task;
import dev.fathom.kernel.Walker;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Image;
import dev.fathom.model.Layout;
import dev.fathom.model.Memory;
import dev.fathom.model.Program;
import dev.fathom.model.Registers;
import dev.fathom.model.Symbol;
import dev.fathom.model.SymbolTable;
import dev.fathom.model.Value;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.arch.Disassembler;
import dev.fathom.model.arch.Instruction;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.type.TypeSystem;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.model.unwind.Frame;
import dev.fathom.session.Session;
import dev.fathom.target.Capability;
import dev.fathom.target.Cpu;
import dev.fathom.target.Target;
import dev.fathom.target.TargetInfo;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * A kernel made by hand: three tasks on a list, a few symbols and instructions, one page that is
 * not in the dump. Tests type commands at it and look at what comes out.
 */
public final class Fixture {
  static final long TEXT = 0xffffffff81000000L;
  static final long DATA = 0xffffffff82000000L;
  static final long FIRST = 0xffff888000001000L;
  static final long SECOND = 0xffff888000002000L;
  static final long THIRD = 0xffff888000003000L;
  static final long STACK = 0xffffc90000000000L;
  static final long WIDE = 0xffff888000007000L;
  private static final long DIRECT = 0xffff888000000000L;

  /** How the kernel is. */
  private enum State {
    PANICKED,
    HEALTHY,
    DAMAGED
  }

  private final FixtureTarget target = new FixtureTarget();
  private final Session session;
  private final CommandService service;

  /** A fresh session over a kernel that panicked. */
  public Fixture() {
    this(State.PANICKED);
  }

  /** A fresh session over a kernel that runs well, with a CPU of which nothing is known. */
  public static Fixture healthy() {
    return new Fixture(State.HEALTHY);
  }

  private Fixture(State state) {
    var program = new FixtureProgram();
    session = Session.of(target, new FixtureKernel(program, state));
    service = StandardCommands.over(session);
    service.environment().disassembly(new Disassembly(program, new LengthDisassembler()));
  }

  /**
   * A session in which there are two tasks more, whose names can be read: one has the id of
   * another, one has none that can be read.
   */
  public static Fixture damaged() {
    return new Fixture(State.DAMAGED);
  }

  public Session session() {
    return session;
  }

  public CommandService service() {
    return service;
  }

  /** Refuses to start a shell and to write files, as tests of arbitrary lines must. */
  public Fixture harmless() {
    service.environment().settings().shellAllowed(false);
    return this;
  }

  /** The session reads {@code file}, too. */
  public void opened(Path file) {
    target.files.add(file);
  }

  /** What {@code line} shows, messages included. */
  public String text(String line) {
    var out = new StringBuilder();
    var outcome = service.run(line, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
    if (out.toString().contains("internal error") || outcome.ok() == hasError(out.toString())) {
      throw new AssertionError(line + " gave " + outcome + ": " + out);
    }
    return out.toString();
  }

  /** Whether there is a message that is neither a note nor a warning. */
  private static boolean hasError(String text) {
    return text.lines()
        .anyMatch(
            line ->
                line.startsWith("fathom: ")
                    && !line.startsWith("fathom: note: ")
                    && !line.startsWith("fathom: warning: "));
  }

  /** The JSON document for {@code line}. */
  public String json(String line) {
    var out = new StringWriter();
    service.run(line, new JsonRenderer(out));
    return out.toString();
  }

  /** How {@code line} ended. */
  public Outcome outcome(String line) {
    var out = new StringBuilder();
    return service.run(line, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
  }

  /** Names instructions by their length, where the real disassembler's spelling does not matter. */
  static final class LengthDisassembler implements Disassembler {
    @Override
    public String description() {
      return "lengths only";
    }

    @Override
    public Optional<Instruction> decode(byte[] code, int offset, int length, long address) {
      return X86_64
          .INSTANCE
          .flowDecoder()
          .decode(code, offset, offset + length, address)
          .map(
              flow ->
                  new Instruction(
                      address,
                      flow.length(),
                      "op" + flow.length(),
                      flow.target().isPresent() ? Long.toHexString(flow.target().getAsLong()) : "",
                      flow.target(),
                      flow.memory(),
                      flow.perCpu()));
    }
  }

  private static final class FixtureTarget implements Target {
    private final List<Path> files = new ArrayList<>();

    @Override
    public List<Path> files() {
      return files;
    }

    @Override
    public TargetInfo info() {
      return new TargetInfo(
          "crash dump",
          "fixture",
          "made by hand",
          "x86_64",
          List.of(new Datum.Field("pages", "pages", Cell.decimal(9))));
    }

    @Override
    public List<Cpu> cpus() {
      return List.of();
    }

    @Override
    public <C extends Capability> Optional<C> find(Class<C> capability) {
      return Optional.empty();
    }

    @Override
    public List<String> warnings() {
      return List.of("the dump is incomplete");
    }

    @Override
    public void close() {}
  }

  private static final class FixtureProgram implements Program {
    private final HeapMemory bytes = new HeapMemory("kernel", Layout.LITTLE_64);
    private final HeapMemory physical = new HeapMemory("physical", Layout.LITTLE_64);
    private final FixtureMemory memory =
        new FixtureMemory(bytes, Range.of(WIDE + 0x1000, 0x1000), DIRECT);
    private final TypeSystem types = new TypeSystem(8);
    private final SymbolTable symbols;
    private final Architecture architecture = X86_64.INSTANCE;

    FixtureProgram() {
      types.add(new FixtureTypes());
      bytes.put(TEXT, code());
      bytes.put(DATA, data());
      bytes.put(FIRST, task(1, 0, "init", FIRST, DATA, SECOND, DATA + 0x100));
      bytes.put(SECOND, task(2, 1, "sh", FIRST, FIRST, THIRD, 0));
      bytes.put(THIRD, task(300, 4, "bad\u0001name", SECOND, SECOND, DATA, 0x1234));
      bytes.put(STACK, stack());
      bytes.put(WIDE, new byte[0x1000]);
      physical.put(0x1000, task(1, 0, "init", FIRST, DATA, SECOND, DATA + 0x100));
      symbols =
          new FixtureSymbols(
              List.of(
                  new Symbol("start", TEXT, 0x10, Symbol.Kind.TEXT, 'T', ""),
                  new Symbol("helper", TEXT + 0x10, 0x10, Symbol.Kind.TEXT, 't', ""),
                  new Symbol("probe", TEXT + 0x20, 0x10, Symbol.Kind.TEXT, 't', "disk"),
                  new Symbol("head", DATA, 0x10, Symbol.Kind.DATA, 'D', ""),
                  new Symbol("counter", DATA + 0x10, 8, Symbol.Kind.DATA, 'D', ""),
                  new Symbol("table", DATA + 0x20, 24, Symbol.Kind.DATA, 'd', ""),
                  new Symbol("banner", DATA + 0x100, 0x20, Symbol.Kind.DATA, 'r', ""),
                  new Symbol("add", DATA + 0x120, 8, Symbol.Kind.DATA, 'D', ""),
                  new Symbol("sys_call_table", DATA + 0x140, 24, Symbol.Kind.DATA, 'r', ""),
                  new Symbol("first_task", FIRST, 0x80, Symbol.Kind.DATA, 'D', ""),
                  new Symbol("queue", 0x31980, 0x80, Symbol.Kind.PER_CPU, 'd', ""),
                  new Symbol("load", 0x31a00, 8, Symbol.Kind.PER_CPU, 'd', ""),
                  new Symbol("offset_only", 0x40, 8, Symbol.Kind.ABSOLUTE, 'A', "")));
    }

    private static byte[] code() {
      var code = new byte[0x30];
      java.util.Arrays.fill(code, (byte) 0x90);
      byte[] start = {
        0x55, // push %rbp
        0x48,
        (byte) 0x89,
        (byte) 0xe5, // mov %rsp,%rbp
        (byte) 0xe8,
        0x07,
        0,
        0,
        0, // call helper
        0x5d, // pop %rbp
        (byte) 0xc3 // ret
      };
      System.arraycopy(start, 0, code, 0, start.length);
      code[0x10] = (byte) 0xc3;
      code[0x20] = 0x0f;
      code[0x21] = 0x0b;
      return code;
    }

    private static byte[] data() {
      var data = buffer(0x200);
      data.putLong(0, FIRST).putLong(8, THIRD);
      data.putLong(0x10, 42);
      for (int i = 0; i < 3; i++) {
        data.putInt(0x20 + i * 8, i * 10).putInt(0x24 + i * 8, -i);
      }
      data.put(0x100, "Fixture version 1\0".getBytes(StandardCharsets.US_ASCII));
      data.putLong(0x120, 0x0102030405060708L);
      data.putDouble(0x128, 1.5);
      data.putInt(0x130, 0x4d000000);
      data.putLong(0x140, TEXT).putLong(0x148, TEXT + 0x10).putLong(0x150, TEXT + 0x10);
      data.put(0x138, "a\tb\0".getBytes(StandardCharsets.US_ASCII));
      return data.array();
    }

    private static byte[] task(
        int pid, int state, String comm, long parent, long previous, long next, long name) {
      var task = buffer(0x100);
      task.putLong(0, next).putLong(8, previous);
      task.putInt(0x10, pid).putInt(0x14, state);
      task.put(0x18, comm.getBytes(StandardCharsets.US_ASCII));
      task.putLong(0x28, parent).putLong(0x30, name);
      // dead = 1, level = -2 in five bits
      task.putInt(0x38, 1 | 0x1e << 1);
      task.putInt(0x3c, 3);
      task.putLong(0x40, -1);
      task.putInt(0x48, 1).putInt(0x4c, 2).putInt(0x50, 3).putInt(0x54, 4);
      task.putInt(0x58, 10).putInt(0x5c, -1).putInt(0x60, 0);
      task.put(0x64, (byte) 1).put(0x65, (byte) 'x');
      task.putLong(0x68, 0xffff88800000f000L).putLong(0x70, TEXT + 0x10);
      return task.array();
    }

    /** Two frames: start called helper, with frame pointers. */
    private static byte[] stack() {
      var stack = buffer(0x1000);
      // A frame whose caller's frame is nowhere.
      stack.putLong(0xe00, 0x1234).putLong(0xe08, TEXT + 9);
      stack.putLong(0xf00, STACK + 0xf40).putLong(0xf08, TEXT + 9);
      stack.putLong(0xf40, 0).putLong(0xf48, TEXT + 0x20);
      return stack.array();
    }

    private static ByteBuffer buffer(int size) {
      return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
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
      return physical;
    }

    @Override
    public SymbolTable symbols() {
      return symbols;
    }

    @Override
    public TypeSystem types() {
      return types;
    }

    @Override
    public Value global(String name) {
      var symbol = symbols.first(name).orElseThrow(() -> new LookupException("symbol", name));
      var type = types.ofSymbol(name).orElseThrow(() -> new LookupException("type of", name));
      return new Value.Ref(this, type, symbol.address());
    }

    @Override
    public long epoch() {
      return 0;
    }
  }

  /** A walk over addresses that are known beforehand. */
  private record FixedWalker(String name, String yields, Start start, long... addresses)
      implements Walker {
    @Override
    public String description() {
      return "the " + name + "s of the fixture";
    }

    @Override
    public Stream<Value> walk(Program program, Optional<Value> from, Notes notes) {
      var type = program.types().parse(yields);
      long shift = from.map(Value::address).orElse(0L);
      return LongStream.of(addresses)
          .mapToObj(address -> new Value.Ref(program, type, address + shift));
    }
  }

  private record FixtureKernel(Program program, State state) implements Kernel {
    @Override
    public String os() {
      return "Fixture";
    }

    @Override
    public List<Datum.Field> facts() {
      return List.of(new Datum.Field("release", "operating system", Cell.text("Fixture 1.0")));
    }

    @Override
    public List<String> warnings() {
      return List.of();
    }

    @Override
    public List<Image> images() {
      return List.of(
          new Image(
              "vmlinux",
              List.of(Range.of(TEXT, 0x20), Range.of(DATA, 0x200)),
              Optional.of("0123456789abcdef0123456789abcdef01234567"),
              OptionalLong.empty()),
          new Image(
              "disk", List.of(Range.of(TEXT + 0x20, 0x10)), Optional.empty(), OptionalLong.of(1)));
    }

    @Override
    public List<Walker> walkers() {
      return List.of(
          new FixedWalker("task", "struct task", Walker.Start.NONE, FIRST, SECOND, THIRD),
          new FixedWalker("point", "struct point", Walker.Start.NONE, DATA + 0x20, DATA + 0x28),
          new Walker() {
            @Override
            public String name() {
              return "endless";
            }

            @Override
            public String description() {
              return "addresses without end";
            }

            @Override
            public Start start() {
              return Start.OPTIONAL;
            }

            @Override
            public String yields() {
              return "void";
            }

            @Override
            public Stream<Value> walk(Program p, Optional<Value> from, Notes notes) {
              return Stream.iterate(FIRST, address -> address + 8)
                  .map(address -> new Value.Ref(p, FixtureTypes.LONG, address));
            }
          },
          new Walker() {
            @Override
            public String name() {
              return "torn";
            }

            @Override
            public String description() {
              return "a list whose third element cannot be read";
            }

            @Override
            public Start start() {
              return Start.NONE;
            }

            @Override
            public String yields() {
              return "struct task";
            }

            @Override
            public Stream<Value> walk(Program p, Optional<Value> from, Notes notes) {
              var type = p.types().struct("task");
              return Stream.of(FIRST, SECOND, 0L)
                  .takeWhile(
                      address -> {
                        if (address == 0) {
                          notes.note("list ended after 2: page not in the dump");
                        }
                        return address != 0;
                      })
                  .map(address -> new Value.Ref(p, type, address));
            }
          },
          new Walker() {
            @Override
            public String name() {
              return "ring";
            }

            @Override
            public String description() {
              return "the tasks from a given one on";
            }

            @Override
            public Start start() {
              return Start.REQUIRED;
            }

            @Override
            public String yields() {
              return "struct task";
            }

            @Override
            public Stream<Value> walk(Program p, Optional<Value> from, Notes notes) {
              return Stream.of(from.orElseThrow());
            }
          });
    }

    @Override
    public Stream<Task> tasks(Walker.Notes notes) {
      var tasks = Stream.of(FIRST, SECOND, THIRD).map(this::task);
      return state == State.DAMAGED
          ? Stream.concat(
              tasks, Stream.of(damagedTask(0x4000, "same"), damagedTask(0x5000, "none")))
          : tasks;
    }

    private Task damagedTask(int offset, String name) {
      var id = name.equals("same") ? OptionalLong.of(2) : OptionalLong.empty();
      return new Task(
          new Value.Ref(program, program.types().struct("task"), DIRECT + offset),
          id,
          id,
          OptionalLong.empty(),
          name,
          'S',
          OptionalInt.empty(),
          false,
          false);
    }

    @Override
    public Task task(long address) {
      var object = new Value.Ref(program, program.types().struct("task"), address);
      long pid = object.member("pid").asLong();
      return new Task(
          object,
          OptionalLong.of(pid),
          OptionalLong.of(pid),
          OptionalLong.of(pid == 1 ? 0 : 1),
          object.member("comm").string(16),
          pid == 2 ? 'R' : 'S',
          OptionalInt.of(0),
          pid == 2,
          pid == 300);
    }

    @Override
    public Optional<Task> taskOfId(long id) {
      return tasks(text -> {}).filter(task -> task.hasId(id)).findFirst();
    }

    @Override
    public Optional<MemoryUse> memoryUse(Task task) {
      return task.id().equals(OptionalLong.of(1))
          ? Optional.of(new MemoryUse(1 << 20, 5 << 10))
          : Optional.empty();
    }

    @Override
    public List<KernelCpu> cpus() {
      var first =
          new KernelCpu(
              0, Optional.empty(), Optional.empty(), Optional.of(task(SECOND)), List.of());
      var unknown =
          new KernelCpu(1, Optional.empty(), Optional.empty(), Optional.empty(), List.of());
      return state == State.HEALTHY ? List.of(first, unknown) : List.of(first);
    }

    /** The areas of two CPUs; {@code queue} of CPU 0 is the first task. */
    @Override
    public OptionalLong perCpu(long offset, int cpu) {
      return switch (cpu) {
        case 0 -> OptionalLong.of(FIRST - 0x31980 + offset);
        case 1 -> OptionalLong.of(SECOND - 0x31980 + offset);
        default -> OptionalLong.empty();
      };
    }

    @Override
    public Optional<Registers> registersOf(Task task) {
      var file = program.architecture().registers();
      return task.hasId(300)
          ? Optional.empty()
          : Optional.of(
              Registers.none(file)
                  .with(file.pc(), TEXT + 4)
                  .with(file.sp(), STACK + 0xf00)
                  .with(file.fp(), STACK + 0xf00));
    }

    @Override
    public Backtrace stack(Task task) {
      return registersOf(task).map(this::stack).orElseGet(() -> Backtrace.none("not known"));
    }

    @Override
    public Backtrace stack(Registers from) {
      var file = program.architecture().registers();
      var frames = new ArrayList<Frame>();
      frames.add(
          new Frame(
              from.pc().orElseThrow(),
              true,
              from,
              from.sp().orElseThrow() + 16,
              Frame.How.REGISTERS,
              "task"));
      long fp = from.get(file.fp()).orElse(0);
      for (int i = 0; i < 10 && fp != 0; i++) {
        try {
          long pc = program.memory().u64(fp + 8);
          var caller = from.with(file.sp(), fp + 16);
          frames.add(new Frame(pc, false, caller, fp + 32, Frame.How.FRAME_POINTER, "task"));
          fp = program.memory().u64(fp);
        } catch (FaultException e) {
          return new Backtrace(frames, Backtrace.End.BROKEN, e.getMessage(), Optional.empty());
        }
      }
      return new Backtrace(frames, Backtrace.End.COMPLETE, "end of stack", Optional.empty());
    }

    @Override
    public Stream<LogEntry> log(Walker.Notes notes) {
      return Stream.of(new LogEntry(0, 1_000_000, 6, 0, "Fixture booting"));
    }

    @Override
    public List<Datum.Field> panic() {
      return state == State.HEALTHY
          ? List.of()
          : List.of(new Datum.Field("message", "message", Cell.text("on purpose")));
    }

    @Override
    public Optional<Task> initialTask() {
      return Optional.of(task(SECOND));
    }

    @Override
    public List<Mapping> mappings() {
      return List.of(
          new Mapping(Range.of(DIRECT, 0x10000), "", "direct map"),
          new Mapping(Range.of(TEXT, 0x30), "", "text"));
    }

    @Override
    public List<Mapping> mappings(Task task, Walker.Notes notes) {
      return List.of(new Mapping(Range.of(0x400000, 0x1000), "r-xp", "/bin/" + task.name()));
    }

    @Override
    public Optional<AddressSpace> userSpace(Task task) {
      return Optional.empty();
    }

    @Override
    public List<String> whatis(long address) {
      if (address == THIRD + 8) {
        throw new EvalException("whatis failed on purpose");
      }
      var hex = Long.toHexString(address);
      return program
          .symbols()
          .at(address)
          .map(at -> List.of(hex + " is " + at.text(), hex + " is in a segment"))
          .orElse(List.of());
    }

    @Override
    public Map<String, String> memberAliases() {
      return Map.of("task.__state", "state");
    }
  }
}
