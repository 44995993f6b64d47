/** Benchmarks, alone and side by side with other debuggers. */
@SuppressWarnings("requires-automatic") // JMH has no module descriptor.
module dev.fathom.bench {
  requires com.github.luben.zstd_jni;
  requires dev.fathom.base;
  requires dev.fathom.format;
  requires dev.fathom.kernel;
  requires dev.fathom.model;
  requires dev.fathom.session;
  requires dev.fathom.target;
  requires dev.fathom.testkit;
  requires jmh.core;

  uses dev.fathom.target.LiveTargetProvider;
}
