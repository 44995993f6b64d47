/** Benchmarks, alone and side by side with other debuggers. */
module dev.fathom.bench {
  requires dev.fathom.cli;
}
