/** Opens a target, picks the kernel model and holds what the user has selected. */
module dev.fathom.session {
  requires transitive dev.fathom.base;
  requires dev.fathom.format;
  requires transitive dev.fathom.kernel;
  requires transitive dev.fathom.model;
  requires transitive dev.fathom.symbols;
  requires transitive dev.fathom.target;

  exports dev.fathom.session;
  exports dev.fathom.session.control;
  exports dev.fathom.session.dump;

  uses dev.fathom.kernel.KernelProvider;
  uses dev.fathom.target.LiveTargetProvider;
  uses dev.fathom.target.TargetProvider;
}
