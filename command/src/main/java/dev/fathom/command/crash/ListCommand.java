// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.Lazily;
import dev.fathom.command.Links;
import dev.fathom.command.source.FunctionName;
import dev.fathom.command.source.Listing;
import dev.fathom.lang.Expressions;
import dev.fathom.model.Symbol;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** {@code list}. */
final class ListCommand implements Command {
  /** What is no number, and may be the name of a function, of one file as well. */
  private static final Pattern NAME = Pattern.compile("^'?[A-Za-z_~]");

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("list", "walk a linked list, or show lines of a source file")
        .flag('H', "the address is a list_head outside of the structures: it is not an element")
        .flag('h', "the address is a structure with the list inside: it is the first element")
        .flag('r', "backwards, along prev")
        .flag('x', "numbers in hexadecimal")
        .flag('d', "numbers in decimal (the default)")
        .option('o', "offset", "where the link stands: bytes, or struct.member")
        .option('s', "struct[.members]", "show each element as this structure, or these members")
        .option('l', "offset", "the structure of -s begins that many bytes before the element")
        .option('e', "address", "stop at this address")
        .arguments("[[struct.member | offset] address|symbol]")
        .help(
            """
            Follows a linked list and shows the address of each element. A link is one of two
            things. A pointer to the next element stands at the offset or member given (at 0
            without one). Or links are structures inside of the elements (`list_head`,
            `hlist_node`) that point to each other: so it is with `-h`, `-H`, and where
            `struct.member` is such a structure; each element is then the start of the structure
            that holds the link. The walk ends at NULL, at the start, at an element that points to
            itself, and at the end given; without links inside also where it comes back to the
            element behind the start. A list that is corrupt is an error where it is.
            Without an address, with a function, `FILE:LINE`, `FIRST,LAST` or `-`, and in a process
            with a line's number, it shows lines of the source, as `l` does.

                > list task_struct.tasks -s task_struct.pid,comm -h ffff888003858000
                > list module.list -H modules -s module.name
                > list task_struct.real_parent ffff888003a1c0c0
            """);
  }

  /**
   * Where the links are.
   *
   * @param offset of the link in an element
   * @param embedded whether links point to links, not to elements
   * @param element the type of the elements, where it was named
   */
  private record Plan(long offset, boolean embedded, Optional<CType> element) {}

  @Override
  public Stream<Item> run(Invocation call) {
    if (isListing(call)) {
      return Listing.run(call, call.args().joined());
    }
    var args = call.args().expect(1, 2);
    boolean headed = args.has('H');
    if (headed && args.has('h')) {
      throw new UsageException("-h and -H are mutually exclusive");
    }
    var plan = plan(call, headed || args.has('h'));
    long start = address(call, args.word(args.count() - 1));
    long back = args.has('r') ? call.program().memory().layout().wordBytes() : 0;
    long bias = plan.embedded() ? plan.offset() : 0;
    var links =
        plan.embedded()
            ? Links.from(call, headed ? start : start + bias, back)
            : Links.from(call, start, plan.offset() + back).endingAtFirst();
    if (headed) {
      links.withoutHead();
    }
    if (args.has('e')) {
      links.until(Crash.address(call, args.option('e').orElseThrow().text()) + bias);
    }
    long before = args.option('l').map(a -> offset(call, a.text())).orElse(0L);
    var radix = args.has('x') ? Cell.Radix.HEX : Cell.Radix.DECIMAL;
    var view = args.option('s').map(a -> new ElementView(call, a.text(), radix));
    return Lazily.stream(links)
        .flatMap(link -> show(call, plan, view, link - bias, before).stream());
  }

  /** Whether gdb's command of that name is meant: there is no list in a function. */
  private static boolean isListing(Invocation call) {
    var args = call.args();
    return args.letters().isEmpty()
        && (Listing.isMeant(args.joined()) || (args.count() == 1 && isPlace(call, args.word(0))));
  }

  private static boolean isPlace(Invocation call, String word) {
    boolean process = call.kernel().isProcess();
    if (process && word.matches("\\d{1,9}")) {
      return true;
    }
    var symbols = call.program().symbols().named(word);
    // What was inlined everywhere has no symbol.
    return symbols.isEmpty()
        ? process && NAME.matcher(word).find() && !FunctionName.of(word).places(call).isEmpty()
        : symbols.stream().anyMatch(symbol -> symbol.kind() == Symbol.Kind.TEXT);
  }

  private static List<Item> show(
      Invocation call, Plan plan, Optional<ElementView> view, long element, long before) {
    var items = new ArrayList<Item>();
    if (!call.toPipe()) {
      items.add(Item.show(new Datum.Scalar("address", Cell.address(element))));
    } else if (view.isEmpty()) {
      items.add(
          plan.element().isPresent()
              ? Item.value(new Value.Ref(call.program(), plan.element().get(), element))
              : Item.show(new Datum.Scalar("address", Cell.address(element))));
    }
    view.ifPresent(v -> items.addAll(v.of(element - before)));
    return items;
  }

  private static Plan plan(Invocation call, boolean heads) {
    var args = call.args();
    var link = args.option('o').map(a -> a.text());
    if (args.count() == 2) {
      if (link.isPresent()) {
        throw new UsageException("two offsets: " + link.get() + " and " + args.word(0));
      }
      link = Optional.of(args.word(0));
    }
    if (link.isEmpty()) {
      return new Plan(0, heads, Optional.empty());
    }
    int dot = link.get().indexOf('.');
    if (dot < 0) {
      return new Plan(offset(call, link.get()), heads, Optional.empty());
    }
    var path = link.get().substring(dot + 1);
    var type = Crash.typeAndMembers(call, link.get().substring(0, dot), "struct", "union").type();
    var found =
        call.program()
            .types()
            .member(type, path)
            .orElseThrow(() -> new LookupException("member of " + type.text(), path));
    boolean embedded = found.member().type().resolved() instanceof CompositeType;
    return new Plan(found.byteOffset(), heads || embedded, Optional.of(type));
  }

  static long offset(Invocation call, String text) {
    var number = Crash.number(text);
    if (number.isPresent()) {
      return number.getAsLong();
    }
    int dot = text.indexOf('.');
    if (dot < 0) {
      throw new UsageException("'" + text + "' is neither an offset nor struct.member");
    }
    var path = text.substring(dot + 1);
    var type = Crash.typeAndMembers(call, text.substring(0, dot), "struct", "union").type();
    return call.program()
        .types()
        .member(type, path)
        .orElseThrow(() -> new LookupException("member of " + type.text(), path))
        .byteOffset();
  }

  /** An address, or {@code symbol.member}. */
  static long address(Invocation call, String text) {
    int dot = text.indexOf('.');
    if (dot < 0) {
      return Crash.address(call, text);
    }
    return Expressions.evaluate("&" + text, Crash.scope(call)).asLong();
  }
}
