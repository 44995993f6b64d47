/** The command language and the commands. */
module dev.fathom.command {
  requires dev.fathom.base;
  requires dev.fathom.format;
  requires dev.fathom.model;
  requires dev.fathom.symbols;
  requires dev.fathom.target;
  requires dev.fathom.kernel;
  requires dev.fathom.session;
  requires dev.fathom.lang;
}
