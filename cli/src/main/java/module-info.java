/** The program: arguments, terminal, progress, demo. */
module dev.fathom.cli {
  requires dev.fathom.base;
  requires dev.fathom.format;
  requires dev.fathom.model;
  requires dev.fathom.symbols;
  requires dev.fathom.target;
  requires dev.fathom.host;
  requires dev.fathom.kernel;
  requires dev.fathom.session;
  requires dev.fathom.lang;
  requires dev.fathom.command;
  requires dev.fathom.testkit;
}
