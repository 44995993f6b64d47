/** Turns formats into symbol tables, type sources and unwind sources. */
module dev.fathom.symbols {
  requires dev.fathom.base;
  requires dev.fathom.format;
  requires dev.fathom.model;
}
