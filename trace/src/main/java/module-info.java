/** Events of traces: where they come from, what they add up to, and what they are exported to. */
module dev.fathom.trace {
  requires tools.jackson.core;
  requires transitive dev.fathom.base;
  requires transitive dev.fathom.format;
  requires transitive dev.fathom.model;

  exports dev.fathom.trace;
  exports dev.fathom.trace.analysis;
  exports dev.fathom.trace.export;
  exports dev.fathom.trace.file;
  exports dev.fathom.trace.frame;
  exports dev.fathom.trace.recording;
  exports dev.fathom.trace.report;
  exports dev.fathom.trace.text;
}
