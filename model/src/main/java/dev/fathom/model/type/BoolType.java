package dev.fathom.model.type;

/** C's {@code _Bool}. */
public record BoolType(String name, long bytes) implements CType {}
