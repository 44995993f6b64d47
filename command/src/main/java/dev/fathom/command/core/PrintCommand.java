// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.command.Argument;
import dev.fathom.command.Arguments;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.MemberPath;
import dev.fathom.command.TypeWords;
import dev.fathom.command.ValueTree;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Value;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.PointerType;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** {@code ::print}. */
final class PrintCommand implements Command {
  /** A value to print and what it is called. */
  private record Part(Optional<String> name, Value value) {}

  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("print", "print the contents of a data structure")
        .addressOptional()
        .flag('a', "show the address of each member")
        .flag('C', "no limit on the characters of a string")
        .option('c', "limit", "show at most so many characters of a string")
        .flag('d', "whole numbers in decimal")
        .flag('h', "show the holes between members")
        .flag('i', "the address is itself the value")
        .flag('L', "no limit on the elements of an array")
        .option('l', "limit", "show at most so many elements of an array")
        .flag('n', "pointers as numbers, not as symbols")
        .flag('p', "the address is a physical one")
        .option('s', "depth", "open at most so many levels of structures")
        .flag('T', "show the type of each member and what its typedefs stand for")
        .flag('t', "show the type of each member")
        .flag('x', "whole numbers in hexadecimal")
        .arguments("[type] [member|offset ...]")
        .help(
            """
            Prints the value of a type at an address, or only the members named. The type may be
            left out where it is known: for an address that is exactly a variable's, and for what a
            walk gives. Without an address it prints the layout of the type.

            A member is a path such as `se.sum_exec_runtime`, `mm->pgd`, `comm[0]` or
            `files->fdt->fd[3]`; `$[0x10]` is the member at that byte offset. Memory that is not in
            the dump is shown as such, and the rest goes on.

            In front of a pipe it gives the value of a pointer, number or enum, and the address of
            anything else.

                > init_task::print struct task_struct comm pid
                comm = [ "swapper/0" ]
                pid = 0
                > ::print -at struct list_head
                0 struct list_head {
                    0 struct list_head *next
                    8 struct list_head *prev
                }
                > ::walk proc | ::print mm | ::grep .!=0 | ::print struct mm_struct pgd
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args();
    var operands = args.operands();
    Optional<Value> typed = call.value().flatMap(PrintCommand::typed);
    if (typed.isEmpty() || !startsWithMember(call, typed.get(), operands)) {
      var type = TypeWords.find(call.program().types(), operands);
      if (type.isPresent()) {
        var members = operands.subList(type.get().words(), operands.size());
        return call.hasAddress()
            ? values(call, at(call, type.get().type()), members)
            : layouts(call, type.get().type(), members);
      }
    }
    if (!call.hasAddress()) {
      throw new EvalException(
          operands.isEmpty()
              ? "a type or an address is needed"
              : "failed to look up type " + operands.getFirst().text());
    }
    return values(call, typed.orElseGet(() -> variable(call, operands)), operands);
  }

  /** The structure that a value is or points to, when its type says so. */
  private static Optional<Value> typed(Value value) {
    return switch (value) {
      case Value.Ref ref -> Optional.of(ref);
      case Value.Imm imm
          when imm.type().resolved() instanceof PointerType pointer
              && pointer.target().resolved() instanceof CompositeType ->
          Optional.of(imm.deref());
      case Value.Imm _ -> Optional.empty();
    };
  }

  private static boolean startsWithMember(Invocation call, Value value, List<Argument> operands) {
    return !operands.isEmpty()
        && operands.getFirst() instanceof Argument.Word(String word)
        && !word.contains(" ")
        && !word.contains("*")
        && path(call, word).startsIn(value);
  }

  private static MemberPath path(Invocation call, String text) {
    return MemberPath.parse(text, call::evaluate);
  }

  private static Value at(Invocation call, CType type) {
    if (call.args().has('i')) {
      return new Value.Imm(call.program(), type, call.address());
    }
    var space =
        call.args().has('p')
            ? new PhysicalSpace(call.program().physical())
            : call.value().map(PrintCommand::space).orElse(call.program().memory());
    return new Value.Ref(call.program(), type, space, call.address(), 0, 0);
  }

  private static AddressSpace space(Value value) {
    return switch (value) {
      case Value.Ref ref -> ref.space();
      case Value.Imm imm -> imm.program().memory();
    };
  }

  private static Value variable(Invocation call, List<Argument> operands) {
    var located = call.program().symbols().at(call.address());
    if (located.isPresent() && located.get().offset() == 0) {
      try {
        return call.program().global(located.get().symbol());
      } catch (LookupException e) {
        throw new EvalException(
            operands.isEmpty()
                ? "no type information for " + located.get().text() + ": " + e.getMessage()
                : "failed to look up type " + operands.getFirst().text());
      }
    }
    throw new EvalException(
        operands.isEmpty()
            ? "no symbol information for 0x" + Long.toHexString(call.address())
            : "failed to look up type " + operands.getFirst().text());
  }

  private Stream<Item> values(Invocation call, Value base, List<Argument> members) {
    if (!call.piped() && base instanceof Value.Ref ref) {
      call.moveDot(ref.address() + ref.type().bytes());
    }
    var parts =
        members.isEmpty()
            ? Stream.of(new Part(Optional.empty(), base))
            : members.stream().map(member -> part(call, base, member));
    if (call.toPipe()) {
      return parts.map(part -> flowing(call, part.value()));
    }
    var options = options(call);
    return parts.map(part -> ValueTree.show(call, part.name(), part.value(), options));
  }

  private static Part part(Invocation call, Value base, Argument member) {
    return switch (member) {
      case Argument.Number offset -> atOffset(call, base, offset.value());
      case Argument.Word word -> {
        var path = path(call, word.text());
        yield new Part(Optional.of(path.text()), path.from(base, call.kernel().memberAliases()));
      }
    };
  }

  /** The member that stands at a byte offset: the innermost one that begins there. */
  private static Part atOffset(Invocation call, Value base, long offset) {
    Value value = base.type().resolved() instanceof PointerType ? base.deref() : base;
    if (!(value instanceof Value.Ref ref)) {
      throw new EvalException(base.type().text() + " has no members");
    }
    long left = offset;
    var name = new StringBuilder();
    CType type = ref.type();
    for (int depth = 0; depth < 64; depth++) {
      if (!(type.resolved() instanceof CompositeType composite)) {
        break;
      }
      long wanted = left;
      var member =
          composite.members().stream()
              .filter(
                  m ->
                      m.byteOffset() <= wanted
                          && wanted < m.byteOffset() + Math.max(1, m.type().bytes()))
              .findFirst()
              .orElseThrow(
                  () ->
                      new EvalException(
                          "no member of "
                              + composite.text()
                              + " is at offset 0x"
                              + Long.toHexString(offset)));
      left -= member.byteOffset();
      if (!member.name().isEmpty()) {
        name.append(name.isEmpty() ? "" : ".").append(member.name());
      }
      type = member.type();
      if (left == 0) {
        break;
      }
    }
    if (left != 0 && type.resolved() instanceof ArrayType array && array.element().bytes() > 0) {
      name.append('[').append(left / array.element().bytes()).append(']');
      left %= array.element().bytes();
      type = array.element();
    }
    return new Part(
        Optional.of(name.toString()),
        new Value.Ref(call.program(), type, ref.space(), ref.address() + offset - left, 0, 0));
  }

  private static Item flowing(Invocation call, Value value) {
    return call.args().has('a') && value instanceof Value.Ref ref
        ? Item.value(Values.address(call, ref.address()))
        : Item.contents(value);
  }

  private static Stream<Item> layouts(Invocation call, CType type, List<Argument> members) {
    var options = options(call);
    if (members.isEmpty()) {
      return Stream.of(Item.show(ValueTree.layout(call.program(), type, options)));
    }
    var base = new Value.Ref(call.program(), type, 0);
    return members.stream()
        .map(
            member -> {
              var part = part(call, base, member);
              var offset =
                  call.args().has('a')
                      ? OptionalLong.of(part.value().address())
                      : OptionalLong.empty();
              return Item.show(
                  new Datum.Tree(
                      new Datum.Node(
                          part.name(),
                          Optional.of(part.value().type().text()),
                          offset,
                          new Datum.Declared()),
                      Datum.Style.MDB));
            });
  }

  private static ValueTree.Options options(Invocation call) {
    var args = call.args();
    var defaults = ValueTree.Options.mdb(call.environment().settings());
    return new ValueTree.Options(
        Datum.Style.MDB,
        args.has('d') ? Cell.Radix.DECIMAL : Cell.Radix.HEX,
        args.has('t') || args.has('T'),
        args.has('T'),
        args.has('a'),
        !args.has('n'),
        true,
        args.has('h'),
        limit(call, args, 'L', 'l', defaults.arrayMembers()),
        limit(call, args, 'C', 'c', defaults.arrayString()),
        args.option('s').map(word -> clamped(call, word)).orElse(defaults.depth()),
        Optional.empty(),
        false,
        false);
  }

  private static OptionalInt limit(
      Invocation call, Arguments args, char none, char letter, OptionalInt normal) {
    if (args.has(none)) {
      return OptionalInt.empty();
    }
    var given = args.option(letter);
    return given.isPresent() ? OptionalInt.of(clamped(call, given.get())) : normal;
  }

  private static int clamped(Invocation call, Argument number) {
    long value = call.number(number);
    return value < 0 ? Integer.MAX_VALUE : (int) Math.min(value, Integer.MAX_VALUE);
  }
}
