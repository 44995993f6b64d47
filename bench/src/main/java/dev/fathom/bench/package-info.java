/** Benchmarks, alone and side by side with other debuggers. */
package dev.fathom.bench;
