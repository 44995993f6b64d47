// SPDX-License-Identifier: Apache-2.0
/**
 * Benchmarks: JMH's of single readers, and whole answers of the program beside those of other
 * debuggers. Dumps and executables enter as paths; tables for people go to standard output. May use
 * every module; none may use it.
 */
package dev.fathom.bench;
