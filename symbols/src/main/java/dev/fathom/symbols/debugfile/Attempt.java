// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.debugfile;

import dev.fathom.format.elf.BuildId;
import java.util.Optional;

/**
 * One place where a debug file was looked for.
 *
 * @param where a path or an URL
 */
public record Attempt(String where, Outcome outcome) {
  /** What was there. */
  public sealed interface Outcome {
    /** The outcome as a few words. */
    String text();
  }

  /** The file that was wanted. */
  public record Good() implements Outcome {
    @Override
    public String text() {
      return "found";
    }
  }

  /** Nothing. */
  public record Missing() implements Outcome {
    @Override
    public String text() {
      return "not there";
    }
  }

  /** A file of another build, or one without a build-id when one was wanted. */
  public record OtherBuild(BuildId wanted, Optional<BuildId> found) implements Outcome {
    @Override
    public String text() {
      return "is of another build: has build-id "
          + found.map(BuildId::hex).orElse("none")
          + ", wanted "
          + wanted.hex();
    }
  }

  /** A file whose content is not what the debug link says. */
  public record OtherChecksum(long wanted, long found) implements Outcome {
    @Override
    public String text() {
      return "has checksum 0x"
          + Long.toHexString(found)
          + ", the debug link says 0x"
          + Long.toHexString(wanted);
    }
  }

  /** The right file, with symbols but without debug information: taken when there is no better. */
  public record SymbolsOnly() implements Outcome {
    @Override
    public String text() {
      return "has symbols, but no debug information";
    }
  }

  /** The right file, but without debug information or a full symbol table. */
  public record Stripped() implements Outcome {
    @Override
    public String text() {
      return "is stripped";
    }
  }

  /** Something that cannot be used. */
  public record Unusable(String why) implements Outcome {
    @Override
    public String text() {
      return why;
    }
  }
}
