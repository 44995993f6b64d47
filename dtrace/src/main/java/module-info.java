/**
 * D, DTrace's language: the compiler, the intermediate form, its interpreter, and the interfaces
 * between what runs at probes and what prints.
 */
module dev.fathom.dtrace {
  requires transitive dev.fathom.base;
  requires transitive dev.fathom.model;
  requires tools.jackson.core;

  exports dev.fathom.dtrace.compile;
  exports dev.fathom.dtrace.consume;
  exports dev.fathom.dtrace.ir;
  exports dev.fathom.dtrace.probe;
  exports dev.fathom.dtrace.record;
  exports dev.fathom.dtrace.run;
  exports dev.fathom.dtrace.syntax;
}
