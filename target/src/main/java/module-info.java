/** Something to look at, and its powers; one package per kind of target. */
module dev.fathom.target {
  requires transitive dev.fathom.base;
  requires dev.fathom.format;
  requires transitive dev.fathom.model;
  requires java.xml;
  requires tools.jackson.core;

  exports dev.fathom.target;
  exports dev.fathom.target.snapshot;

  uses dev.fathom.target.TargetProvider;
  uses dev.fathom.target.LiveTargetProvider;
  uses dev.fathom.target.DirectMemoryProvider;
  uses dev.fathom.target.ProcessTracer;

  provides dev.fathom.target.TargetProvider with
      dev.fathom.target.dump.DumpProvider;
  provides dev.fathom.target.LiveTargetProvider with
      dev.fathom.target.qemu.QemuProvider,
      dev.fathom.target.process.ProcessProvider,
      dev.fathom.target.gdb.GdbProvider;
  provides dev.fathom.target.DirectMemoryProvider with
      dev.fathom.target.qemu.QemuMemory;
}
