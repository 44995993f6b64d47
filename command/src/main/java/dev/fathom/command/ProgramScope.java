// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.command.presenter.PresentedParts;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.Task;
import dev.fathom.lang.ClassNames;
import dev.fathom.lang.Scope;
import dev.fathom.model.Program;
import dev.fathom.model.RegisterFile;
import dev.fathom.model.Registers;
import dev.fathom.model.Symbol;
import dev.fathom.model.Value;
import dev.fathom.model.source.Activation;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.VoidType;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Names in C expressions: variables and functions of the program, registers of one thread. */
public class ProgramScope implements Scope {
  private static final IntType UNSIGNED_LONG = new IntType("unsigned long", 8, false, false);

  /** Names for a thread, where nothing else has them. */
  public static final Set<String> THREAD = Set.of("pid", "tid", "ppid", "cpu", "comm", "curthread");

  /** More than any name has, but for those that templates make. */
  private static final int MOST_FUNCTIONS = 1000;

  private final Kernel kernel;
  private final Supplier<Optional<Registers>> registers;

  /**
   * @param registers what {@code $name} names, asked for when one is needed
   */
  public ProgramScope(Kernel kernel, Supplier<Optional<Registers>> registers) {
    this.kernel = kernel;
    this.registers = registers;
  }

  @Override
  public Program program() {
    return kernel.program();
  }

  @Override
  public Optional<Value> variable(String name) {
    return global(name);
  }

  private Optional<Value> global(String name) {
    var symbols = program().symbols();
    return symbols
        .first(name)
        .filter(first -> isPlain(first, name) || symbols.exactly(name).contains(first))
        .map(this::typed)
        .or(() -> placed(name))
        .or(() -> inThread(name));
  }

  /** The namespaces and classes around a function, the innermost first. */
  protected static List<String> around(Optional<Activation> function) {
    return function.map(at -> FrameNames.scopes(at.function())).orElse(List.of());
  }

  /** In C++ a name is looked for in what is {@link #around} the function as well. */
  protected final Optional<Value> inScope(String name) {
    if (name.indexOf(':') >= 0) {
      return Optional.empty();
    }
    for (var scope : around()) {
      var found =
          global(scope + "::" + name)
              .or(() -> ClassNames.in(program(), scope, name))
              .or(() -> inherited(scope, name));
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private Optional<Value> inherited(String type, String name) {
    return ClassNames.bases(program(), type).stream()
        .flatMap(base -> global(base + "::" + name).stream())
        .findFirst();
  }

  @Override
  public Optional<Value> anywhere(String name) {
    try {
      return program().symbols().first(name).map(this::typed);
    } catch (EvalException _) {
      return Optional.empty(); // It is of another scope, and nobody asked for that.
    }
  }

  /** Whether a symbol is called just so, as all of C are. */
  private static boolean isPlain(Symbol symbol, String name) {
    return symbol.name().equals(name.substring(name.indexOf('`') + 1));
  }

  /** The functions of C of that name, one at each address: several files may have one each. */
  protected final List<Symbol> ofC(String name) {
    var addresses = new HashSet<Long>();
    return program().symbols().named(name).stream()
        .filter(s -> s.kind() == Symbol.Kind.TEXT && isPlain(s, name))
        .filter(s -> addresses.add(s.address()))
        .toList();
  }

  /** {@inheritDoc} Only of functions of C++, which may have one name. */
  @Override
  public List<Function> functions(String name) {
    var symbols = program().symbols();
    if (symbols.first(name).filter(first -> !isPlain(first, name)).isEmpty()) {
      return List.of();
    }
    var exact = symbols.exactly(name);
    var addresses = new HashSet<Long>();
    return (exact.isEmpty() ? symbols.named(name) : exact)
        .stream()
            .filter(s -> s.kind() == Symbol.Kind.TEXT && !s.name().contains("[clone "))
            .filter(s -> addresses.add(s.address()))
            .limit(MOST_FUNCTIONS)
            .flatMap(s -> typed(s) instanceof Value.Ref code ? function(s, code) : Stream.empty())
            .toList();
  }

  private static Stream<Function> function(Symbol symbol, Value.Ref code) {
    return Stream.of(new Function(symbol.name(), code));
  }

  /** A variable whose symbol has another name, by debug information. */
  private Optional<Value> placed(String name) {
    return program().types().placed(name).map(p -> new Value.Ref(program(), p.type(), p.address()));
  }

  /** The copy that the thread has of a variable of which each has its own. */
  private Optional<Value> inThread(String name) {
    var thread =
        registers.get().orElseGet(() -> Registers.none(program().architecture().registers()));
    return program().threadLocal(name, thread);
  }

  @Override
  public Optional<Value> element(Value.Ref container, Value index) {
    return PresentedParts.element(container, index, this::checkInterrupt);
  }

  @Override
  public Optional<Value> method(Value.Ref container, String name) {
    return PresentedParts.method(container, name, this::checkInterrupt);
  }

  /**
   * Called again and again where an expression takes long.
   *
   * @throws EvalException when the user asked to stop
   */
  protected void checkInterrupt() {}

  @Override
  public Optional<Value> pointee(Value.Ref object) {
    return PresentedParts.pointee(object);
  }

  @Override
  public Optional<String> text(Value.Ref object) {
    return PresentedParts.text(object);
  }

  @Override
  public Optional<Value> dollar(String name) {
    var file = program().architecture().registers();
    var part = file.part(name);
    if (part.isEmpty()) {
      return Optional.empty();
    }
    return registers
        .get()
        .map(known -> known.get(part.get().register()))
        .filter(OptionalLong::isPresent)
        .map(bits -> register(file, name, part.get(), part.get().of(bits.getAsLong())));
  }

  /**
   * The program counter is a pointer to code, the stack pointer one to anything, as gdb has them;
   * all others are unsigned numbers, since most of them hold addresses.
   */
  private Value register(RegisterFile file, String name, RegisterFile.Part part, long bits) {
    var types = program().types();
    var flags = FlagRegisters.of(name);
    if (flags.isPresent()) {
      return new Value.Imm(program(), flags.get(), bits);
    }
    if (part.bits() == part.register().bits() && part.register().equals(file.pc())) {
      var code = new FunctionType(() -> VoidType.VOID, List::of, false);
      return new Value.Imm(program(), types.pointerTo(code), bits);
    }
    if (part.bits() == part.register().bits() && part.register().equals(file.sp())) {
      return new Value.Imm(program(), types.pointerTo(VoidType.VOID), bits);
    }
    var type =
        switch (part.bits()) {
          case 8 -> new IntType("uint8_t", 1, false, false);
          case 16 -> new IntType("uint16_t", 2, false, false);
          case 32 -> new IntType("uint32_t", 4, false, false);
          default -> UNSIGNED_LONG;
        };
    return new Value.Imm(program(), type, bits);
  }

  /**
   * A name with its scope as C++ has it, or a variable that a file or function keeps, by debug
   * information; else the only static one of that name, also gcc's {@code name.123} for one in a
   * function.
   */
  @Override
  public Optional<Value> variable(String scope, String name) {
    if (scope.isEmpty()) {
      return variable(name);
    }
    var whole = variable(scope + "::" + name);
    if (whole.isPresent()) {
      return whole;
    }
    var symbols = program().symbols();
    var named = symbols.named(name);
    var ofModule = named.stream().filter(s -> s.module().equals(scope)).toList();
    if (ofModule.size() == 1) {
      return Optional.of(typed(ofModule.getFirst()));
    }
    if (named.size() == 1 && Character.isLowerCase(named.getFirst().letter())) {
      return Optional.of(typed(named.getFirst()));
    }
    var numbered = symbols.completions(name + ".", 2);
    return numbered.size() == 1 ? variable(numbered.getFirst()) : Optional.empty();
  }

  @Override
  public long perCpu(long offset, int cpu) {
    return kernel
        .perCpu(offset, cpu)
        .orElseThrow(() -> new EvalException("there is no CPU " + cpu));
  }

  /**
   * What a name of {@link #THREAD} means.
   *
   * @param task the thread
   * @param cpu the CPU that it is on, where its structure does not tell
   */
  protected final Optional<Value> ofThread(String name, Optional<Task> task, OptionalInt cpu) {
    return switch (name) {
      case "pid" -> id(task.map(Task::process));
      case "tid" -> id(task.map(Task::id));
      case "ppid" -> id(task.map(Task::parent));
      case "cpu" -> {
        var known = task.map(Task::cpu).filter(OptionalInt::isPresent).orElse(cpu);
        yield known.isPresent() ? Optional.of(number(known.getAsInt())) : Optional.empty();
      }
      case "comm" -> task.map(thread -> thread.object().member("comm"));
      case "curthread" -> task.map(thread -> thread.object().addressOf());
      default -> Optional.empty();
    };
  }

  private Optional<Value> id(Optional<OptionalLong> id) {
    return id.filter(OptionalLong::isPresent).map(known -> number(known.getAsLong()));
  }

  /** A number as an expression has it. */
  protected final Value number(long bits) {
    return new Value.Imm(program(), UNSIGNED_LONG, bits);
  }

  /** The type of the function that begins at an address, where its name does not tell. */
  protected Optional<CType> functionAt(long address) {
    return Optional.empty();
  }

  /** The type of what a function chooses, by that function's type or by a declaration. */
  private FunctionType chosen(Symbol symbol) {
    var resolver = functionAt(symbol.address());
    if (resolver.isPresent()
        && resolver.get().resolved() instanceof FunctionType own
        && own.parameters().isEmpty()
        && own.result().resolved() instanceof PointerType pointer
        && pointer.target().resolved() instanceof FunctionType target) {
      return target;
    }
    try {
      var declared = program().global(symbol).type().resolved();
      return resolver.isEmpty() && declared instanceof FunctionType type
          ? type
          : FunctionType.unknown();
    } catch (LookupException e) {
      return FunctionType.unknown(); // No debug information has the name.
    }
  }

  /** What a symbol names. */
  protected final Value typed(Symbol symbol) {
    if (symbol.letter() == 'i') {
      return new Value.Ref(program(), FunctionType.byResolver(chosen(symbol)), symbol.address());
    }
    try {
      return program().global(symbol);
    } catch (LookupException e) {
      if (symbol.kind() == Symbol.Kind.TEXT) {
        var type = functionAt(symbol.address()).orElseGet(FunctionType::unknown);
        return new Value.Ref(program(), type, symbol.address());
      }
      throw new EvalException(
          "the type of '"
              + symbol.name()
              + "' is not known: cast its address, as in *(TYPE *)0x"
              + Long.toHexString(symbol.address()));
    }
  }
}
