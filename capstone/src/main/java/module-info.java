/** The Capstone disassembler, translated to bytecode: always there, needs no native code. */
module dev.fathom.capstone {
  requires dev.fathom.base;
  requires dev.fathom.model;
  requires run.endive.runtime;
  requires run.endive.wasm;

  provides dev.fathom.model.arch.DisassemblerProvider with
      dev.fathom.capstone.CapstoneProvider;
}
