/** Readers and writers of file and table formats: bytes in, records out. */
module dev.fathom.format {
  requires dev.fathom.base;
}
