// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

/** Writes one format; begun or resumed when it is made. */
interface DumpWriter extends Pipeline.Sink {
  /** The pages that are to be in the dump; all before {@link #next} were handled. */
  PageSet wanted();

  /** How many pages the machine has, as far as that is known by now. */
  long existing();

  /** The first page that was not handled yet. */
  long next();

  /** Makes what was written so far something to go on with. */
  void checkpoint();

  /** Writes what only the end knows; returns the size of the file. */
  long finish();

  Tally tally();
}
