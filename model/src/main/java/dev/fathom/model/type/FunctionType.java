// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.List;
import java.util.function.Supplier;

/** A function's signature. */
public final class FunctionType implements CType {
  /** A parameter; {@code name} is empty where the declaration gives none. */
  public record Parameter(String name, CType type) {}

  /** How much of it is known. */
  private enum Known {
    SIGNATURE,
    NOTHING,
    BY_RESOLVER
  }

  private final Known known;
  private final Lazy result;
  private final boolean variadic;
  private Supplier<List<Parameter>> supplier;
  private List<Parameter> parameters;

  public FunctionType(
      Supplier<CType> result, Supplier<List<Parameter>> parameters, boolean variadic) {
    this(Known.SIGNATURE, result, parameters, variadic);
  }

  private FunctionType(
      Known known, Supplier<CType> result, Supplier<List<Parameter>> parameters, boolean variadic) {
    this.known = known;
    this.result = new Lazy(result);
    this.supplier = parameters;
    this.variadic = variadic;
  }

  /** The type of a function of which nothing tells what it takes and returns. */
  public static FunctionType unknown() {
    return new FunctionType(Known.NOTHING, () -> VoidType.VOID, List::of, true);
  }

  /**
   * The type of a name that stands for a function which another one chooses when the program starts
   * (STT_GNU_IFUNC): at its address is the one that chooses, which returns the other's.
   *
   * @param chosen the type of the functions among which it chooses; may be {@link #unknown}
   */
  public static FunctionType byResolver(FunctionType chosen) {
    return new FunctionType(
        Known.BY_RESOLVER, chosen::result, chosen::parameters, chosen.variadic());
  }

  /** Whether nothing tells what it takes and returns; it then says that it takes anything. */
  public boolean isUnknown() {
    return known == Known.NOTHING
        || (isByResolver() && variadic && result() instanceof VoidType && parameters().isEmpty());
  }

  /** See {@link #byResolver}. */
  public boolean isByResolver() {
    return known == Known.BY_RESOLVER;
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
