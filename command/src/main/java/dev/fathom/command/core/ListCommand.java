// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.EvalException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Argument;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.Lazily;
import dev.fathom.command.Links;
import dev.fathom.command.TypeWords;
import dev.fathom.command.Variables;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code ::list}. */
final class ListCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("list", "walk list using member as link pointer")
        .addressOptional()
        .arguments("type member [variable] | $[offset] [variable]")
        .help(
            """
            Follows a list whose elements hold, in `member` (or at a byte offset), a pointer to the
            next element, until it is NULL, leads back to the start, or leads to the element that
            holds it. A list that runs into itself elsewhere, or that cannot be read on, is wrong.

                > modules::list struct list_head next
                > ffff888003858000::list struct task_struct parent p | ::print comm
            """);
  }

  private record Plan(
      Optional<CType> type, long offset, String member, Optional<String> variable) {}

  @Override
  public Stream<Item> run(Invocation call) {
    var plan = plan(call);
    plan.variable().ifPresent(Variables::checkName);
    long start = call.hasAddress() ? call.address() : call.dot();
    return Lazily.stream(Links.from(call, start, plan.offset())).map(at -> element(call, plan, at));
  }

  private static Plan plan(Invocation call) {
    var operands = call.args().operands();
    if (operands.isEmpty()) {
      throw new UsageException("too few arguments");
    }
    if (operands.getFirst() instanceof Argument.Number(long offset)) {
      call.args().expect(1, 2);
      checkAligned(call, offset, "0x" + Long.toHexString(offset));
      return new Plan(
          Optional.empty(), offset, "offset 0x" + Long.toHexString(offset), variable(call, 1));
    }
    var type = TypeWords.get(call.program().types(), operands);
    call.args().expect(type.words() + 1, type.words() + 2);
    if (operands.get(type.words()) instanceof Argument.Number(long offset)) {
      checkAligned(call, offset, "0x" + Long.toHexString(offset));
      return new Plan(Optional.of(type.type()), offset, "", variable(call, type.words() + 1));
    }
    var member = call.args().word(type.words());
    var found =
        call.program()
            .types()
            .member(type.type(), member)
            .orElseThrow(
                () ->
                    new EvalException(
                        "failed to find member "
                            + member
                            + " of "
                            + type.type().text()
                            + ": no such member of structure or union"));
    if (found.bitOffset() % 8 != 0) {
      throw new EvalException(member + " is not a word-aligned member");
    }
    checkAligned(call, found.byteOffset(), member);
    return new Plan(
        Optional.of(type.type()), found.byteOffset(), member, variable(call, type.words() + 1));
  }

  private static void checkAligned(Invocation call, long offset, String member) {
    if (offset % call.program().memory().layout().wordBytes() != 0) {
      throw new EvalException(member + " is not a word-aligned member");
    }
  }

  private static Optional<String> variable(Invocation call, int index) {
    return call.args().count() > index ? Optional.of(call.args().word(index)) : Optional.empty();
  }

  private static Item element(Invocation call, Plan plan, long at) {
    plan.variable().ifPresent(name -> call.environment().variables().set(name, at));
    return Item.value(
        plan.type().isPresent()
            ? new Value.Ref(call.program(), plan.type().get(), at)
            : Values.address(call, at));
  }
}
