/** Readers and writers of file and table formats: bytes in, records out. */
module dev.fathom.format {
  requires com.github.luben.zstd_jni;
  requires org.tukaani.xz;
  requires transitive dev.fathom.base;

  exports dev.fathom.format.btf;
  exports dev.fathom.format.compress;
  exports dev.fathom.format.dwarf;
  exports dev.fathom.format.elf;
  exports dev.fathom.format.flattened;
  exports dev.fathom.format.kallsyms;
  exports dev.fathom.format.kdump;
  exports dev.fathom.format.orc;
  exports dev.fathom.format.osvt;
  exports dev.fathom.format.vmcoreinfo;
}
