// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols;

import dev.fathom.base.Range;
import dev.fathom.format.orc.Orc;
import dev.fathom.format.orc.OrcEntry;
import dev.fathom.model.Register;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.unwind.Frame;
import dev.fathom.model.unwind.Rule;
import dev.fathom.model.unwind.UnwindRow;
import dev.fathom.model.unwind.UnwindSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Unwind rules from ORC tables, for x86-64 (arch/x86/kernel/unwind_orc.c says what an entry means).
 * Few different entries describe all of a kernel, so each row is made once. Used by one thread.
 */
public final class OrcUnwindSource implements UnwindSource {
  /** Where {@code struct pt_regs} keeps each register, in bytes (arch/x86/include/asm/ptrace.h). */
  private static final Map<Register, Rule> PT_REGS =
      Map.ofEntries(
          Map.entry(X86_64.R15, new Rule.AtCfa(0)),
          Map.entry(X86_64.R14, new Rule.AtCfa(8)),
          Map.entry(X86_64.R13, new Rule.AtCfa(16)),
          Map.entry(X86_64.R12, new Rule.AtCfa(24)),
          Map.entry(X86_64.RBP, new Rule.AtCfa(32)),
          Map.entry(X86_64.RBX, new Rule.AtCfa(40)),
          Map.entry(X86_64.R11, new Rule.AtCfa(48)),
          Map.entry(X86_64.R10, new Rule.AtCfa(56)),
          Map.entry(X86_64.R9, new Rule.AtCfa(64)),
          Map.entry(X86_64.R8, new Rule.AtCfa(72)),
          Map.entry(X86_64.RAX, new Rule.AtCfa(80)),
          Map.entry(X86_64.RCX, new Rule.AtCfa(88)),
          Map.entry(X86_64.RDX, new Rule.AtCfa(96)),
          Map.entry(X86_64.RSI, new Rule.AtCfa(104)),
          Map.entry(X86_64.RDI, new Rule.AtCfa(112)),
          Map.entry(X86_64.ORIG_RAX, new Rule.AtCfa(120)),
          Map.entry(X86_64.RIP, new Rule.AtCfa(128)),
          Map.entry(X86_64.CS, new Rule.AtCfa(136)),
          Map.entry(X86_64.RFLAGS, new Rule.AtCfa(144)),
          Map.entry(X86_64.RSP, new Rule.AtCfa(152)),
          Map.entry(X86_64.SS, new Rule.AtCfa(160)));

  /** The general registers, which keep their values where only the CPU's own frame was pushed. */
  private static final Register[] GENERAL = {
    X86_64.RAX,
    X86_64.RBX,
    X86_64.RCX,
    X86_64.RDX,
    X86_64.RSI,
    X86_64.RDI,
    X86_64.RBP,
    X86_64.R8,
    X86_64.R9,
    X86_64.R10,
    X86_64.R11,
    X86_64.R12,
    X86_64.R13,
    X86_64.R14,
    X86_64.R15
  };

  private final String name;
  private final Orc orc;
  private final Map<Long, Optional<UnwindRow>> rows = new HashMap<>();

  private OrcUnwindSource(String name, Orc orc) {
    this.name = name;
    this.orc = orc;
  }

  /** The kernel's own tables. */
  public static OrcUnwindSource of(Orc orc) {
    return new OrcUnwindSource("orc", orc);
  }

  /** A module's tables. */
  public static OrcUnwindSource ofModule(String module, Orc orc) {
    return new OrcUnwindSource("orc:" + module, orc);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Frame.How how() {
    return Frame.How.ORC;
  }

  public Orc orc() {
    return orc;
  }

  /** The addresses that the tables say something about. */
  public Range range() {
    return orc.range();
  }

  @Override
  public Optional<UnwindRow> rowAt(long pc) {
    OptionalInt found = orc.find(pc);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    long raw = orc.raw(found.getAsInt());
    var row = rows.get(raw);
    if (row == null) {
      row = row(orc.entry(found.getAsInt()));
      rows.put(raw, row);
    }
    return row;
  }

  private static Optional<UnwindRow> row(OrcEntry entry) {
    return switch (entry.type()) {
      case UNDEFINED -> Optional.empty();
      case END_OF_STACK ->
          Optional.of(new UnwindRow(new Rule.Undefined(), Map.of(), UnwindRow.Kind.END));
      case CALL ->
          base(entry).map(cfa -> new UnwindRow(cfa, callRules(entry), UnwindRow.Kind.CALL));
      case REGS ->
          base(entry)
              .map(cfa -> new UnwindRow(cfa, PT_REGS, kind(entry, UnwindRow.Kind.INTERRUPTED)));
      case REGS_PARTIAL ->
          base(entry)
              .map(
                  cfa ->
                      new UnwindRow(
                          cfa, partialRules(), kind(entry, UnwindRow.Kind.INTERRUPTED_PARTIAL)));
    };
  }

  /**
   * A breakpoint's registers have the pc after the breakpoint, as a call's return address is after
   * the call: 6.3 and later say so by a row without {@code signal}.
   */
  private static UnwindRow.Kind kind(OrcEntry entry, UnwindRow.Kind interrupted) {
    return entry.signal() ? interrupted : UnwindRow.Kind.CALL;
  }

  /** The caller's stack pointer, or where the saved registers stand. */
  private static Optional<Rule> base(OrcEntry entry) {
    long offset = entry.spOffset();
    return switch (entry.sp()) {
      case SP -> Optional.of(new Rule.RegPlus(X86_64.RSP, offset));
      case BP -> Optional.of(new Rule.RegPlus(X86_64.RBP, offset));
      case BP_INDIRECT -> Optional.of(new Rule.AtReg(X86_64.RBP, offset, 0));
      // Since 5.12 for calls on another stack: the offset is added to the word. Before, only for
      // saved registers: to sp.
      case SP_INDIRECT ->
          Optional.of(
              entry.type() == OrcEntry.Type.CALL
                  ? new Rule.AtReg(X86_64.RSP, 0, offset)
                  : new Rule.AtReg(X86_64.RSP, offset, 0));
      case R10 -> Optional.of(new Rule.RegPlus(X86_64.R10, 0));
      case R13 -> Optional.of(new Rule.RegPlus(X86_64.R13, 0));
      case DI -> Optional.of(new Rule.RegPlus(X86_64.RDI, 0));
      case DX -> Optional.of(new Rule.RegPlus(X86_64.RDX, 0));
      case AX -> Optional.of(new Rule.RegPlus(X86_64.RAX, 0));
      case PREV_SP, UNDEFINED, UNKNOWN -> Optional.empty();
    };
  }

  private static Map<Register, Rule> callRules(OrcEntry entry) {
    var rules = new HashMap<Register, Rule>();
    rules.put(X86_64.RIP, new Rule.AtCfa(-8));
    rules.put(X86_64.RBP, framePointer(entry));
    return rules;
  }

  private static Rule framePointer(OrcEntry entry) {
    return switch (entry.bp()) {
      case UNDEFINED -> new Rule.Same();
      case PREV_SP -> new Rule.AtCfa(entry.bpOffset());
      case BP -> new Rule.AtReg(X86_64.RBP, entry.bpOffset(), 0);
      case DX, DI, SP, R10, R13, BP_INDIRECT, SP_INDIRECT, AX, UNKNOWN -> new Rule.Undefined();
    };
  }

  private static Map<Register, Rule> partialRules() {
    var rules = new HashMap<Register, Rule>();
    for (var register : GENERAL) {
      rules.put(register, new Rule.Same());
    }
    rules.put(X86_64.RIP, new Rule.AtCfa(0));
    rules.put(X86_64.CS, new Rule.AtCfa(8));
    rules.put(X86_64.RFLAGS, new Rule.AtCfa(16));
    rules.put(X86_64.RSP, new Rule.AtCfa(24));
    rules.put(X86_64.SS, new Rule.AtCfa(32));
    return rules;
  }
}
