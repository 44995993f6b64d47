// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import java.util.OptionalLong;

/** Register values; a register that is not known is absent, not 0. Immutable. */
public final class Registers {
  private final RegisterFile file;
  private final long[] values;
  private final boolean[] known;

  private Registers(RegisterFile file, long[] values, boolean[] known) {
    this.file = file;
    this.values = values;
    this.known = known;
  }

  /** No register known. */
  public static Registers none(RegisterFile file) {
    int count = file.registers().size();
    return new Registers(file, new long[count], new boolean[count]);
  }

  public RegisterFile file() {
    return file;
  }

  public OptionalLong get(Register register) {
    return known[register.index()]
        ? OptionalLong.of(values[register.index()])
        : OptionalLong.empty();
  }

  public OptionalLong pc() {
    return get(file.pc());
  }

  public OptionalLong sp() {
    return get(file.sp());
  }

  public Registers with(Register register, long value) {
    var newValues = values.clone();
    var newKnown = known.clone();
    newValues[register.index()] = value;
    newKnown[register.index()] = true;
    return new Registers(file, newValues, newKnown);
  }

  /** A builder that starts with no register known. */
  public static Builder builder(RegisterFile file) {
    return new Builder(file);
  }

  /** Collects values without a copy for each. Not used again after {@link #build}. */
  public static final class Builder {
    private final RegisterFile file;
    private final long[] values;
    private final boolean[] known;

    private Builder(RegisterFile file) {
      this.file = file;
      int count = file.registers().size();
      values = new long[count];
      known = new boolean[count];
    }

    public Builder set(Register register, long value) {
      values[register.index()] = value;
      known[register.index()] = true;
      return this;
    }

    public Registers build() {
      return new Registers(file, values, known);
    }
  }

  public Registers without(Register register) {
    var newKnown = known.clone();
    newKnown[register.index()] = false;
    return new Registers(file, values, newKnown);
  }
}
