/**
 * D, DTrace's language: the compiler, the intermediate form, its interpreter, the interfaces
 * between what runs at probes and what prints, and the engines that stop a target or replay a
 * trace.
 */
module dev.fathom.dtrace {
  requires dev.fathom.format;
  requires dev.fathom.kernel;
  requires tools.jackson.core;
  requires transitive dev.fathom.base;
  requires transitive dev.fathom.model;
  requires transitive dev.fathom.session;
  requires transitive dev.fathom.target;
  requires transitive dev.fathom.trace;

  exports dev.fathom.dtrace.compile;
  exports dev.fathom.dtrace.consume;
  exports dev.fathom.dtrace.ir;
  exports dev.fathom.dtrace.probe;
  exports dev.fathom.dtrace.record;
  exports dev.fathom.dtrace.replay;
  exports dev.fathom.dtrace.run;
  exports dev.fathom.dtrace.stop;
  exports dev.fathom.dtrace.syntax;
}
