/**
 * The vocabulary: memory, registers, symbols, types, values, unwind rules; and the facts of CPUs.
 */
module dev.fathom.model {
  requires transitive dev.fathom.base;

  exports dev.fathom.model;
  exports dev.fathom.model.arch;
  exports dev.fathom.model.arch.aarch64;
  exports dev.fathom.model.arch.x86_64;
  exports dev.fathom.model.source;
  exports dev.fathom.model.type;
  exports dev.fathom.model.unwind;

  uses dev.fathom.model.arch.DisassemblerProvider;
}
