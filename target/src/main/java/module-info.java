/** What is looked at: dumps and snapshots, their memory and CPU state. */
module dev.fathom.target {
  requires dev.fathom.base;
  requires dev.fathom.format;
  requires dev.fathom.model;
}
