// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Register values; a register that is not known is absent, not 0. Immutable but for vector
 * registers, which are read when one is asked for.
 */
public final class Registers {
  private final RegisterFile file;
  private final long[] values;
  private final boolean[] known;
  private final Vectors vectors;

  private Registers(RegisterFile file, long[] values, boolean[] known, Vectors vectors) {
    this.file = file;
    this.values = values;
    this.known = known;
    this.vectors = vectors;
  }

  /** The vector registers, read when one is asked for. */
  public interface Vectors {
    /** The low 16 bytes of one, the least significant first; empty when they are not known. */
    Optional<byte[]> get(int number);
  }

  /** The same with vector registers; those of another time or caller have none. */
  public Registers withVectors(Vectors told) {
    return new Registers(file, values, known, told);
  }

  /** The low 16 bytes of a vector register, the least significant first, if they are known. */
  public Optional<byte[]> vector(int number) {
    return vectors.get(number);
  }

  /** No register known. */
  public static Registers none(RegisterFile file) {
    int count = file.registers().size();
    return new Registers(file, new long[count], new boolean[count], _ -> Optional.empty());
  }

  public RegisterFile file() {
    return file;
  }

  /** A register's value; empty when it is not known, or is none of this file. */
  public OptionalLong get(Register register) {
    return isOf(file, register) && known[register.index()]
        ? OptionalLong.of(values[register.index()])
        : OptionalLong.empty();
  }

  private static boolean isOf(RegisterFile file, Register register) {
    List<Register> all = file.registers();
    return register.index() < all.size() && all.get(register.index()).equals(register);
  }

  private static int place(RegisterFile file, Register register) {
    if (!isOf(file, register)) {
      throw new IllegalArgumentException(register + " is no register of this file");
    }
    return register.index();
  }

  public OptionalLong pc() {
    return get(file.pc());
  }

  public OptionalLong sp() {
    return get(file.sp());
  }

  /**
   * The same with another value of one register.
   *
   * @throws IllegalArgumentException when it is none of this file
   */
  public Registers with(Register register, long value) {
    var newValues = values.clone();
    var newKnown = known.clone();
    int place = place(file, register);
    newValues[place] = value;
    newKnown[place] = true;
    return new Registers(file, newValues, newKnown, vectors);
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

    /**
     * Sets one register.
     *
     * @throws IllegalArgumentException when it is none of this file
     */
    public Builder set(Register register, long value) {
      int place = place(file, register);
      values[place] = value;
      known[place] = true;
      return this;
    }

    public Registers build() {
      return new Registers(file, values, known, _ -> Optional.empty());
    }
  }

  public Registers without(Register register) {
    var newKnown = known.clone();
    newKnown[place(file, register)] = false;
    return new Registers(file, values, newKnown, vectors);
  }
}
