/** Something to look at, and its powers; one package per kind of target. */
module dev.fathom.target {
  requires transitive dev.fathom.base;
  requires dev.fathom.format;
  requires transitive dev.fathom.model;

  exports dev.fathom.target;
  exports dev.fathom.target.snapshot;

  uses dev.fathom.target.TargetProvider;

  provides dev.fathom.target.TargetProvider with
      dev.fathom.target.dump.DumpProvider;
}
