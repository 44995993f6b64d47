/** Turns formats into symbol tables, type sources and unwind sources. */
module dev.fathom.symbols {
  requires java.net.http;
  requires transitive dev.fathom.base;
  requires transitive dev.fathom.format;
  requires transitive dev.fathom.model;

  exports dev.fathom.symbols;
  exports dev.fathom.symbols.dwarf;
  exports dev.fathom.symbols.debugfile;
  exports dev.fathom.symbols.demangle;
  exports dev.fathom.symbols.elf;
  exports dev.fathom.symbols.index;
  exports dev.fathom.symbols.source;
}
