/** Readers and writers of file and table formats: bytes in, records out. */
module dev.fathom.format {
  requires transitive dev.fathom.base;
  requires com.github.luben.zstd_jni;

  exports dev.fathom.format.compress;
  exports dev.fathom.format.elf;
  exports dev.fathom.format.flattened;
  exports dev.fathom.format.kdump;
}
