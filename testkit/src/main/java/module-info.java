/** Writers of the bytes that tests parse, the golden runner and the guest lab. */
module dev.fathom.testkit {
  requires transitive dev.fathom.base;
  requires com.github.luben.zstd_jni;

  exports dev.fathom.testkit;
  exports dev.fathom.testkit.arch;
  exports dev.fathom.testkit.gdb;
  exports dev.fathom.testkit.lab;
  exports dev.fathom.testkit.process;
  exports dev.fathom.testkit.qemu;
  exports dev.fathom.testkit.tiny;
}
