/** Opens a target, picks the kernel model and assembles the program. */
module dev.fathom.session {
  requires dev.fathom.base;
  requires dev.fathom.format;
  requires dev.fathom.model;
  requires dev.fathom.symbols;
  requires dev.fathom.target;
  requires dev.fathom.kernel;
}
