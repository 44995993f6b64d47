/** C expressions over a program: parse, check and evaluate. */
module dev.fathom.lang {
  requires transitive dev.fathom.base;
  requires transitive dev.fathom.model;

  exports dev.fathom.lang;
}
