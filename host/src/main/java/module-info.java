/** What the local machine offers through native calls. */
module dev.fathom.host {
  requires dev.fathom.base;
  requires dev.fathom.model;
  requires dev.fathom.target;

  provides dev.fathom.model.arch.DisassemblerProvider with
      dev.fathom.host.capstone.HostCapstoneProvider;
  provides dev.fathom.target.ProcessTracer with
      dev.fathom.host.process.Ptrace;
}
