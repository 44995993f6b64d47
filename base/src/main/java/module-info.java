/** Byte sources and cursors, ranges, the exception family, and what a command can show. */
module dev.fathom.base {
  requires tools.jackson.core;

  exports dev.fathom.base;
}
