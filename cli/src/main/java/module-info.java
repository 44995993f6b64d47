/** The program: arguments, terminal, progress, demo. */
module dev.fathom.cli {
  requires dev.fathom.base;
  requires dev.fathom.command;
  requires dev.fathom.dtrace;
  requires dev.fathom.format;
  requires dev.fathom.kernel;
  requires dev.fathom.model;
  requires dev.fathom.session;
  requires dev.fathom.symbols;
  requires dev.fathom.target;
  requires dev.fathom.testkit;
  requires dev.fathom.trace;
  requires info.picocli;
  requires java.net.http;
  requires jdk.unsupported; // JLine's Signals looks for sun.misc.Signal: without it Ctrl-C is the
  // JVM's.
  requires org.jline.reader;
  requires org.jline.terminal;

  opens dev.fathom.cli to
      info.picocli;
}
