// SPDX-License-Identifier: Apache-2.0
package dev.fathom.capstone;

import dev.fathom.base.UnsupportedException;
import dev.fathom.model.arch.Disassembler;
import dev.fathom.model.arch.DisassemblerProvider;
import dev.fathom.model.arch.Syntax;
import dev.fathom.model.arch.aarch64.Aarch64FlowDecoder;
import dev.fathom.model.arch.x86_64.X86FlowDecoder;

/** Offers the built-in Capstone. */
public final class CapstoneProvider implements DisassemblerProvider {
  @Override
  public String name() {
    return "capstone";
  }

  @Override
  public String description() {
    return "Capstone 5, built in";
  }

  @Override
  public boolean supports(String architecture) {
    return architecture.equals("x86_64") || architecture.equals("aarch64");
  }

  /** Lowest: slow, but it works everywhere. */
  @Override
  public int priority() {
    return 0;
  }

  @Override
  public Disassembler create(String architecture, Syntax syntax) {
    return switch (architecture) {
      case "x86_64" ->
          new WasmDisassembler(
              WasmDisassembler.ARCH_X86, WasmDisassembler.MODE_64, syntax, new X86FlowDecoder());
      case "aarch64" ->
          new WasmDisassembler(
              WasmDisassembler.ARCH_ARM64,
              WasmDisassembler.MODE_LITTLE_ENDIAN,
              Syntax.INTEL,
              new Aarch64FlowDecoder());
      default -> throw new UnsupportedException("Capstone is not built in for " + architecture);
    };
  }
}
