/** Byte sources and cursors, ranges, the exception family, and what a command can show. */
module dev.fathom.base {
  exports dev.fathom.base;
}
