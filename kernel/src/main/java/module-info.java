/** What an operating system is: recognise it, start from it, walk it. */
module dev.fathom.kernel {
  requires transitive dev.fathom.base;
  requires dev.fathom.format;
  requires transitive dev.fathom.model;
  requires transitive dev.fathom.symbols;
  requires transitive dev.fathom.target;

  exports dev.fathom.kernel;

  provides dev.fathom.kernel.KernelProvider with
      dev.fathom.kernel.linux.LinuxProvider,
      dev.fathom.kernel.process.ProcessProvider;
}
