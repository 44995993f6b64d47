// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.List;
import java.util.stream.Stream;

/** {@code ::whatis}. */
final class WhatisCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("whatis", "given an address, return information")
        .addressRequired()
        .flag('a', "all that is known, not only the best answer")
        .flag('q', "nothing when the address is unknown")
        .help(
            """
            Says what an address is: a symbol, a thread's stack or structure, a mapping, ...

                > schedule+10::whatis
                ffffffff81c0a2d0 is schedule+0x10, in vmlinux's text segment
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    var answers = call.kernel().whatis(call.address());
    if (answers.isEmpty()) {
      return call.args().has('q')
          ? Stream.empty()
          : Stream.of(fact(call, Long.toHexString(call.address()) + " is unknown"));
    }
    return answers.stream()
        .limit(call.args().has('a') ? Long.MAX_VALUE : 1)
        .map(answer -> fact(call, answer));
  }

  private static Item fact(Invocation call, String text) {
    return Item.show(
        new Datum.Fact(
            text, List.of(new Datum.Field("address", "address", Cell.address(call.address())))));
  }
}
