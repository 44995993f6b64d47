/** The command language and the commands. */
module dev.fathom.command {
  requires transitive dev.fathom.base;
  requires dev.fathom.format;
  requires transitive dev.fathom.kernel;
  requires transitive dev.fathom.lang;
  requires transitive dev.fathom.model;
  requires transitive dev.fathom.session;
  requires dev.fathom.symbols;
  requires dev.fathom.target;

  exports dev.fathom.command;
  exports dev.fathom.command.control;
  exports dev.fathom.command.crash;
  exports dev.fathom.command.ddb;
  exports dev.fathom.command.kernel;
  exports dev.fathom.command.standard;
}
