/** What an operating system is: recognise it, start from it, walk it. */
module dev.fathom.kernel {
  requires dev.fathom.base;
  requires dev.fathom.format;
  requires dev.fathom.model;
  requires dev.fathom.symbols;
  requires dev.fathom.target;
}
