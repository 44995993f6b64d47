/** C expressions over a program. */
module dev.fathom.lang {
  requires dev.fathom.base;
  requires dev.fathom.model;
}
