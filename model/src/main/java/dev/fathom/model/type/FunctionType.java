// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.List;
import java.util.function.Supplier;

/** A function's signature. */
public final class FunctionType implements CType {
  /** A parameter; {@code name} is empty where the declaration gives none. */
  public record Parameter(String name, CType type) {}

  private final Lazy result;
  private final boolean variadic;
  private Supplier<List<Parameter>> supplier;
  private List<Parameter> parameters;

  public FunctionType(
      Supplier<CType> result, Supplier<List<Parameter>> parameters, boolean variadic) {
    this.result = new Lazy(result);
    this.supplier = parameters;
    this.variadic = variadic;
  }

  public CType result() {
    return result.get();
  }

  public List<Parameter> parameters() {
    if (parameters == null) {
      parameters = List.copyOf(supplier.get());
      supplier = null;
    }
    return parameters;
  }

  public boolean variadic() {
    return variadic;
  }

  @Override
  public long bytes() {
    return 0;
  }

  @Override
  public String toString() {
    return text();
  }
}
